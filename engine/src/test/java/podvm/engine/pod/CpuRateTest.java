package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CpuRateTest {
    private static final long SECOND = 1_000_000_000;

    private final CpuRate rate = new CpuRate();

    @Test
    void theFirstMeasurementTellsNoRate() {
        assertThat(rate.next(0, 5 * SECOND)).isEmpty();
    }

    @Test
    void halfACpuIsHalfABillion() {
        rate.next(0, 0);
        assertThat(rate.next(2 * SECOND, SECOND)).contains(SECOND / 2);
    }

    @Test
    void aMeasurementThatComesSoonIsAnsweredWithWhatIsKnown() {
        rate.next(0, 0);
        assertThat(rate.next(SECOND, SECOND)).contains(SECOND);
        assertThat(rate.next(SECOND + 1, 3 * SECOND)).contains(SECOND);
        assertThat(rate.next(2 * SECOND, 3 * SECOND)).contains(2 * SECOND);
    }

    @Test
    void aCountThatFallsBeginsAnew() {
        rate.next(0, 9 * SECOND);
        rate.next(SECOND, 10 * SECOND);
        assertThat(rate.next(2 * SECOND, SECOND)).isEmpty();
        assertThat(rate.next(3 * SECOND, 2 * SECOND)).contains(SECOND);
    }
}
