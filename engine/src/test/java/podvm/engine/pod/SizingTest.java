package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static podvm.engine.fake.PodBuilder.container;
import static podvm.engine.fake.PodBuilder.limits;
import static podvm.engine.fake.PodBuilder.pod;
import static podvm.engine.fake.PodBuilder.withResources;

import org.junit.jupiter.api.Test;
import podvm.engine.ContainerSpec;
import podvm.engine.MachineSize;
import podvm.engine.fake.PodBuilder;

/** With defaults of one CPU and 512 MiB, and 128 MiB for the guest itself. */
final class SizingTest {
    private static MachineSize of(PodBuilder pod) {
        return Sizing.of(pod.build(), Rig.SETTINGS);
    }

    private static ContainerSpec limited(long millis, long mib) {
        return withResources(container("app"), limits(millis, mib << 20));
    }

    @Test
    void containersWithoutLimitsShareOneDefault() {
        assertThat(of(pod("web").run("a").run("b"))).isEqualTo(new MachineSize(1, 640));
    }

    @Test
    void limitsAddUpAndCpuIsRoundedUp() {
        assertThat(of(pod("web").run(limited(1500, 100)).run(limited(600, 101))))
                .isEqualTo(new MachineSize(3, 330));
    }

    @Test
    void oneContainerWithoutALimitAddsTheDefault() {
        assertThat(of(pod("web").run(limited(1000, 100)).run("b")))
                .isEqualTo(new MachineSize(2, 740));
    }

    @Test
    void theLargestInitContainerCountsWhereItIsLargerThanTheRest() {
        assertThat(
                        of(
                                pod("web")
                                        .init(limited(4000, 50))
                                        .init(limited(100, 1000))
                                        .run(limited(1000, 100))))
                .isEqualTo(new MachineSize(4, 1128));
    }

    @Test
    void memoryEndsOnALargePage() {
        var odd = withResources(container("app"), limits(1L, (100L << 20) + 1));
        assertThat(of(pod("web").run(odd))).isEqualTo(new MachineSize(1, 230));
    }

    @Test
    void absurdLimitsGiveAnAbsurdMachineAndNoError() {
        var absurd = withResources(container("app"), limits(Long.MAX_VALUE / 4, 1L << 60));
        assertThat(of(pod("web").run(absurd)).vcpus()).isEqualTo(Integer.MAX_VALUE);
    }
}
