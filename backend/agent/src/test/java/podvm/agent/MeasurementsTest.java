package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import podvm.engine.ContainerId;
import podvm.proto.agent.v1.ContainerUse;
import podvm.proto.agent.v1.InterfaceUse;
import podvm.proto.agent.v1.OpenFiles;
import podvm.proto.agent.v1.StatsResponse;

class MeasurementsTest {
    private final StatsResponse.Builder told = StatsResponse.newBuilder();

    @Test
    void numbersAreTakenAsTheyAre() {
        var id = ContainerId.randomLong();
        var container = told.addContainersBuilder().setId(id.text());
        container.getCgroupBuilder().getCpuBuilder().setUsageUs(5).setThrottledUs(6);
        container.getCgroupBuilder().getMemoryBuilder().setUsageBytes(9).setInactiveFileBytes(2);
        container.getCgroupBuilder().getCpuPressureBuilder().getSomeBuilder().setAvg10(150);
        container.getWritableLayerBuilder().setBytes(4096).setInodes(1);

        var read = Measurements.read(told.build()).containers().getFirst();

        assertThat(read.id()).isEqualTo(id);
        assertThat(read.group().cpu().usageMicros()).isEqualTo(5);
        assertThat(read.group().cpu().throttledMicros()).isEqualTo(6);
        assertThat(read.group().memory().workingSetBytes()).isEqualTo(7);
        assertThat(read.group().cpuPressure().orElseThrow().some().avg10()).isEqualTo(1.5);
        assertThat(read.group().ioPressure()).isEmpty();
        assertThat(read.writableLayer().orElseThrow().bytes()).isEqualTo(4096);
        assertThat(read.openFiles()).isEmpty();
    }

    @Test
    void aGuestThatTellsNothingUsesNothing() {
        var read = Measurements.read(told.build());

        assertThat(read.containers()).isEmpty();
        assertThat(read.pod().cpu().usageMicros()).isZero();
        assertThat(read.scratch()).isEmpty();
    }

    @Test
    void noNumberIsNegativeAndNoTextSteersATerminal() {
        var id = ContainerId.randomLong().text();
        var container =
                ContainerUse.newBuilder()
                        .setId(id)
                        .setOpenFiles(OpenFiles.newBuilder().setMaxOpenFiles(-1));
        container.getCgroupBuilder().getMemoryBuilder().setUsageBytes(-1).setInactiveFileBytes(7);
        container.getCgroupBuilder().getIoPressureBuilder().getFullBuilder().setAvg60(-7);
        told.addContainers(container).addContainers(container);
        told.addContainersBuilder().setId("../../etc");
        told.addInterfaces(InterfaceUse.newBuilder().setName("\u001b[31m" + "x".repeat(100)));
        for (int i = 0; i < 1000; i++) {
            told.addInterfacesBuilder();
        }

        var read = Measurements.read(told.build());

        assertThat(read.containers()).hasSize(1);
        assertThat(read.containers().getFirst().group().memory().workingSetBytes()).isZero();
        assertThat(read.containers().getFirst().openFiles().orElseThrow().max()).contains(0L);
        assertThat(read.containers().getFirst().group().ioPressure().orElseThrow().full().avg60())
                .isZero();
        assertThat(read.interfaces()).hasSizeLessThanOrEqualTo(64);
        assertThat(read.interfaces().getFirst().name()).hasSize(64).doesNotContain("\u001b");
    }
}
