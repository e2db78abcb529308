package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class SignalsTest {
    @ParameterizedTest
    @CsvSource({
        "'', 15",
        "SIGTERM, 15",
        "term, 15",
        "SIGINT, 2",
        "9, 9",
        "SIGRTMIN, 34",
        "SIGRTMIN+3, 37",
        "RTMIN+30, 64",
    })
    void signalsHaveNamesAndNumbers(String text, int number) throws Exception {
        assertThat(Signals.parse(text)).isEqualTo(number);
    }

    @ParameterizedTest
    @ValueSource(strings = {"SIGNOTHING", "0", "65", "-1", "RTMIN+31", "RTMIN+", "1.5"})
    void whatIsNoSignalIsRefusedByName(String text) {
        assertThatThrownBy(() -> Signals.parse(text)).hasMessageContaining(text);
    }

    @Test
    void sigAloneIsTheUsualSignal() throws Exception {
        assertThat(Signals.parse("SIG")).isEqualTo(15);
    }
}
