package podvm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SinceTest {
    private static final Instant NOW = Instant.parse("2026-01-31T12:00:00Z");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x",
                "5",
                "-5s",
                "h",
                "9999999999999h",
                "99999999999999999999h",
                "2026-01-31",
                "+999999999-01-01T00:00:00Z"
            })
    void whatIsNoTimeIsAUsageError(String text) {
        assertThatThrownBy(() -> Logs.since(text, NOW))
                .isInstanceOf(Failure.class)
                .hasMessageContaining("not a time");
    }

    @ParameterizedTest
    @ValueSource(strings = {"9999999h", "1600-01-01T00:00:00Z"})
    void whatIsLongAgoIsAll(String text) throws Exception {
        assertThat(Logs.since(text, NOW)).isZero();
    }
}
