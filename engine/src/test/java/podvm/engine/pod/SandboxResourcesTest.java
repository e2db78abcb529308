package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.GuestResources.Detail;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.SandboxId;

@Timeout(value = 1, unit = TimeUnit.MINUTES)
class SandboxResourcesTest {
    @TempDir Path directory;

    private SandboxRig rig;

    @BeforeEach
    void open() throws Exception {
        rig = new SandboxRig(directory);
    }

    @AfterEach
    void close() {
        rig.close();
    }

    @Test
    void aSandboxIsMeasuredOnBothSides() throws Exception {
        var sandbox = rig.run("web");
        var container = rig.start(sandbox, "server");
        rig.guest().meters.use(container, 42, 1000);
        rig.guest().meters.machineUses(77);

        var stats = rig.table.resources().stats(sandbox, Detail.USUAL);

        assertThat(stats.guest().containers())
                .singleElement()
                .satisfies(one -> {
                    assertThat(one.id()).isEqualTo(container);
                    assertThat(one.group().cpu().usageMicros()).isEqualTo(42);
                });
        assertThat(stats.machine().orElseThrow().cpuNanos()).isEqualTo(77);
    }

    @Test
    void aListLeavesOutWhatCannotAnswer() throws Exception {
        var web = rig.run("web");
        var gone = rig.run("gone");
        rig.table.stop(gone);

        var stats =
                rig.table.resources().stats(List.of(SandboxId.random(), gone, web), Detail.USUAL);

        assertThat(stats.keySet()).containsExactly(web);
    }

    @Test
    void whatHasEndedCannotBeMeasured() throws Exception {
        var sandbox = rig.run("web");
        rig.table.stop(sandbox);

        assertThatThrownBy(() -> rig.table.resources().stats(sandbox, Detail.USUAL))
                .isInstanceOfSatisfying(
                        PodException.class, e -> assertThat(e.kind()).isEqualTo(Kind.CONFLICT));
        assertThatThrownBy(() -> rig.table.resources().stats(SandboxId.random(), Detail.USUAL))
                .isInstanceOfSatisfying(
                        PodException.class, e -> assertThat(e.kind()).isEqualTo(Kind.NOT_FOUND));
    }

    @Test
    void anotherDaemonMeasuresWhatItHasAdopted() throws Exception {
        var sandbox = rig.run("web");
        var container = rig.start(sandbox, "server");
        rig.guest().meters.use(container, 42, 1000);

        rig.restart();

        assertThat(rig.table.resources().stats(sandbox, Detail.USUAL).guest().containers())
                .hasSize(1);
    }
}
