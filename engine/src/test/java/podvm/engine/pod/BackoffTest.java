package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

final class BackoffTest {
    private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");

    @Test
    void delaysDoubleFromNothingToTheLimit() {
        var backoff = new Backoff(Duration.ofSeconds(10), Duration.ofSeconds(60));
        var delays = new ArrayList<Long>();
        for (int i = 0; i < 6; i++) {
            delays.add(backoff.after(BEGIN, BEGIN).toSeconds());
        }
        assertThat(delays).containsExactly(0L, 10L, 20L, 40L, 60L, 60L);
    }

    @Test
    void aContainerThatRanLongBeginsAnew() {
        var backoff = new Backoff(Duration.ofSeconds(10), Duration.ofSeconds(60));
        for (int i = 0; i < 6; i++) {
            var _ = backoff.after(BEGIN, BEGIN);
        }
        assertThat(backoff.after(BEGIN, BEGIN.plusSeconds(121))).isZero();
    }
}
