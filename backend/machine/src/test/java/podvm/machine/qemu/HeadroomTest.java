package podvm.machine.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import podvm.engine.MachineSize;
import podvm.machine.HostCapacity;

class HeadroomTest {
    private static final HostCapacity HOST = new HostCapacity(6, 16_384, 9000);

    private static Headroom of(int vcpus, int mib, int factor) {
        return Headroom.of(new MachineSize(vcpus, mib), factor, HOST);
    }

    @Test
    void aMachineMayGrowToAMultipleOfItsSizeWithinTheHost() {
        assertThat(of(1, 1152, 4).room().vcpus()).isEqualTo(4);
        assertThat(of(1, 1152, 4).room().memoryMib()).isEqualTo(3 * 1152);
        assertThat(of(2, 1152, 4).vcpus()).isEqualTo(6);
        assertThat(of(1, 15_000, 4).room().memoryMib()).isEqualTo(1280);
        assertThat(of(6, 16_300, 4).hasMemory()).isFalse();
    }

    @Test
    void aMachineThatKeepsItsSizeIsAsItAlwaysWas() {
        var fixed = of(2, 1000, 1);
        assertThat(fixed).isEqualTo(Headroom.none(new MachineSize(2, 1000)));
        assertThat(fixed.memoryMib()).isEqualTo(1000);
        assertThat(fixed.kernelArguments()).isEmpty();
    }

    @Test
    void theKernelSeesTheSizeThatWasAskedForAndTheRestBeginsWithAWholeBlock() {
        var one = of(1, 1100, 2);
        assertThat(one.kernelArguments())
                .containsExactly("maxcpus=1", "mem=1100M", "memhp_default_state=online");
        assertThat(one.address()).isEqualTo(1152L << 20);
        assertThat(one.memoryMib()).isEqualTo(1152 + 1024);
    }

    @Test
    void whatDoesNotFitBelowTheGapLiesAboveIt() {
        var above = of(1, 1152, 4);
        assertThat(above.address()).isEqualTo(4096L << 20);
        assertThat(above.memoryMib()).isEqualTo(3584 + 3456);
        assertThat(above.kernelArguments()).contains("mem=1152M");
    }

    @Test
    void aMachineThatReachesOverTheGapIsCountedByAddress() {
        var large = of(1, 5000, 2);
        assertThat(large.kernelArguments()).contains("mem=5512M");
        assertThat(large.address()).isEqualTo((5120L + 512) << 20);
        assertThat(large.memoryMib()).isEqualTo(5120 + 4992);
    }
}
