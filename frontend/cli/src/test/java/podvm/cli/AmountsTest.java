package podvm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

class AmountsTest {
    @Test
    void bytesHaveThreeDigitsAtMost() {
        assertThat(Amounts.bytes(0)).isEqualTo("0 B");
        assertThat(Amounts.bytes(999)).isEqualTo("999 B");
        assertThat(Amounts.bytes(1000)).isEqualTo("1.0 kB");
        assertThat(Amounts.bytes(123_456_789)).isEqualTo("123 MB");
        assertThat(Amounts.bytes(999_999)).isEqualTo("1.0 MB");
        assertThat(Amounts.bytes(Long.MAX_VALUE)).isEqualTo("9.2 EB");
    }

    @Test
    void agesHaveOneUnit() {
        var now = 1_000_000_000_000L;
        assertThat(Amounts.age((now - 5_000) * 1_000_000, now)).isEqualTo("5s");
        assertThat(Amounts.age((now - 300_000) * 1_000_000, now)).isEqualTo("5m");
        assertThat(Amounts.age((now - 3 * 3_600_000) * 1_000_000, now)).isEqualTo("3h");
        assertThat(Amounts.age((now - 72 * 3_600_000) * 1_000_000, now)).isEqualTo("3d");
        assertThat(Amounts.age((now + 5_000) * 1_000_000, now)).isEqualTo("0s");
    }

    @Test
    void sinceIsADurationOrATime() throws Exception {
        var now = Instant.parse("2026-01-01T01:00:00Z");
        var start = Instant.parse("2026-01-01T00:00:00Z").getEpochSecond() * 1_000_000_000;
        assertThat(Logs.since("1h", now)).isEqualTo(start);
        assertThat(Logs.since("30m1800s", now)).isEqualTo(start);
        assertThat(Logs.since("2026-01-01T01:00:00+01:00", now)).isEqualTo(start);
    }
}
