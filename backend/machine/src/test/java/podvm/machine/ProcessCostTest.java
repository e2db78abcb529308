package podvm.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalLong;
import org.junit.jupiter.api.Test;

class ProcessCostTest {
    private static final String MEMORY =
            """
            55d0-7ffe ---p 00000000 00:00 0    [rollup]
            Rss:              200 kB
            Pss:              120 kB
            Pss_Anon:          90 kB
            """;

    @Test
    void aNameWithBlanksAndParenthesesIsNoField() {
        var stat =
                "7 (a) b (c) S 1 7 7 0 -1 0 0 0 0 0 250 50 0 0 20 0 4 0 100 1000 50 18446744073709551615";
        var cost = ProcessCost.read(7, stat, MEMORY);
        assertThat(cost.cpuNanos()).isEqualTo(3_000_000_000L);
        assertThat(cost.threads()).isEqualTo(4);
        assertThat(cost.rssBytes()).isEqualTo(200 * 1024);
        assertThat(cost.pssBytes()).isEqualTo(120 * 1024);
    }

    @Test
    void ofThisProcessIsWhatItUses() {
        var cost = ProcessCost.of(ProcessHandle.current().pid(), OptionalLong::empty).orElseThrow();
        assertThat(cost.pssBytes()).isPositive().isLessThanOrEqualTo(cost.rssBytes());
        assertThat(cost.cpuNanos()).isPositive();
        assertThat(cost.threads()).isGreaterThan(1);
    }

    @Test
    void ofAProcessThatIsGoneNothingIsTold() {
        assertThat(ProcessCost.of(Integer.MAX_VALUE, OptionalLong::empty)).isEmpty();
    }

    @Test
    void whoMayNotSeeItsShareIsToldWhatItsCgroupIsChargedWithElseAllThatItHas() {
        var stat = "7 (q) S 1 7 7 0 -1 0 0 0 0 0 250 50 0 0 20 0 4 0 100 1000 50 1";
        var charged = ProcessCost.withoutShare(7, stat, OptionalLong.of(8192));
        assertThat(charged.pssBytes()).isEqualTo(8192);
        assertThat(charged.rssBytes()).isEqualTo(50 * 4096);
        assertThat(ProcessCost.withoutShare(7, stat, OptionalLong.empty()).pssBytes())
                .isEqualTo(50 * 4096);
    }
}
