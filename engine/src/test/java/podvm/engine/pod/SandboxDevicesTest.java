package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static podvm.engine.fake.SandboxBuilder.container;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Agent.MountPlan;
import podvm.engine.Agent.MountSource.DeviceFile;
import podvm.engine.ContainerConfig.Device;
import podvm.engine.PodException;

/** Devices of the host in a sandbox's containers. */
@Timeout(60)
final class SandboxDevicesTest {
    @TempDir Path directory;

    @Test
    void aBlockDeviceIsADiskOfTheMachineAndAFileOfTheContainer() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            rig.start(
                    id,
                    container("server")
                            .device(
                                    new Device("/dev/disk1", "/dev/xvda", "mrw"),
                                    new Device("/dev/disk1", "/dev/xvdb", "r"))
                            .build());
            assertThat(rig.guest().plans().getFirst().mounts())
                    .containsExactly(
                            new MountPlan("/dev/xvda", new DeviceFile("D1W"), false, ""),
                            new MountPlan("/dev/xvdb", new DeviceFile("D1O"), true, ""));
        }
    }

    @Test
    void anotherDeviceIsRefusedByName() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            var kvm = container("server").device(new Device("/dev/kvm", "/dev/kvm", "rwm")).build();
            assertThatThrownBy(() -> rig.start(id, kvm))
                    .isInstanceOfSatisfying(
                            PodException.class,
                            e -> assertThat(e.kind()).isEqualTo(PodException.Kind.UNSUPPORTED))
                    .hasMessageContaining("devices (/dev/kvm)");
            assertThat(rig.table.containers()).isEmpty();
        }
    }
}
