package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.Resources;
import podvm.engine.MachinePlacement.Place;
import podvm.engine.NumberList;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.fake.SandboxBuilder;

@Timeout(value = 1, unit = TimeUnit.MINUTES)
class SandboxDemandsTest {
    private static final long MIB = 1L << 20;

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

    private static Resources on(String cpus) {
        return new Resources(0, 0, 0, 0, 0, 0, cpus, "", Map.of(), Map.of());
    }

    private static Resources pages(long mib) {
        var limits = Map.of("2MB", mib * MIB, "1GB", 0L);
        return new Resources(0, 0, 0, 0, 0, 0, "", "", limits, Map.of());
    }

    private static ContainerConfig container(String name, Resources resources) {
        return SandboxBuilder.container(name).command("server").resources(resources).build();
    }

    private String cpus() {
        return rig.guest().placement.place().cpus().toString();
    }

    @Test
    void aMachineRunsOnTheCpusOfItsContainersTogetherUntilTheyGo() throws Exception {
        var sandbox = rig.run("web");
        var one = rig.start(sandbox, container("one", on("2-3")));
        assertThat(cpus()).isEqualTo("2-3");
        var other = rig.start(sandbox, container("other", on("3,5")));
        assertThat(cpus()).isEqualTo("2-3,5");
        rig.start(sandbox, container("third", Resources.NONE));
        assertThat(cpus()).as("one that names none adds none").isEqualTo("2-3,5");

        rig.table.resources().update(one, on("0"));
        assertThat(cpus()).isEqualTo("0,3,5");

        rig.table.stopContainer(one, Duration.ZERO);
        rig.table.removeContainer(one);
        assertThat(cpus()).isEqualTo("3,5");
        rig.table.stopContainer(other, Duration.ZERO);
        rig.table.removeContainer(other);
        assertThat(rig.guest().placement.place()).isEqualTo(Place.ANYWHERE);
    }

    @Test
    void aPodsCpusNarrowThoseOfItsContainersAlsoForTheNextDaemon() throws Exception {
        var sandbox = rig.run("web");
        rig.table.resources().update(sandbox, on("2-4"), Optional.empty());
        assertThat(cpus()).isEqualTo("2-4");

        rig.restart();
        var container = rig.start(sandbox, container("one", on("4-5")));
        assertThat(cpus()).isEqualTo("4");

        rig.table.resources().update(container, on("6"));
        assertThat(cpus()).as("nothing in common, as with cgroups").isEqualTo("2-4");
    }

    @Test
    void cpusThatTheNodeLacksAreRefusedByNameAndNothingIsMade() throws Exception {
        var sandbox = rig.run("web");

        assertThatThrownBy(() -> rig.start(sandbox, container("one", on("6-9"))))
                .isInstanceOfSatisfying(
                        PodException.class, e -> assertThat(e.kind()).isEqualTo(Kind.INVALID))
                .hasMessageContaining("8-9");
        assertThatThrownBy(() -> rig.start(sandbox, container("one", on("a"))))
                .hasMessageContaining("cpuset_cpus");

        assertThat(rig.table.containers(sandbox)).isEmpty();
        assertThat(rig.guest().placement.place()).isEqualTo(Place.ANYWHERE);
    }

    @Test
    void largePagesAreReservedForAllContainersThatHaveNotEnded() throws Exception {
        var sandbox = rig.run("web");
        rig.guest().growth.room(1, 1024);
        rig.start(sandbox, container("none", Resources.NONE));
        assertThat(rig.guest().hugepages()).isEmpty();

        rig.start(sandbox, container("one", pages(4)));
        var other = rig.start(sandbox, container("other", pages(6)));
        assertThat(rig.guest().hugepages()).isEqualTo(Map.of("2MB", 10 * MIB));
        assertThat(rig.guest().growth.moreMib()).as("beside the memory").isEqualTo(128);

        rig.table.stopContainer(other, Duration.ZERO);
        rig.table.removeContainer(other);
        assertThat(rig.guest().hugepages()).isEqualTo(Map.of("2MB", 4 * MIB));
    }

    @Test
    void aLargerOverheadMakesTheMachineLargerAndIsKnownToTheNextDaemon() throws Exception {
        var sandbox = rig.run("web");
        rig.guest().growth.room(1, 1024);

        rig.table.resources().update(sandbox, Resources.NONE, Optional.of(256 * MIB));

        assertThat(rig.guest().growth.moreMib()).isEqualTo(256);
        rig.restart();
        rig.table.resources().update(sandbox, Resources.NONE, Optional.empty());
        assertThat(rig.node.sandboxJournals.readAll().getFirst().bounds().overheadBytes())
                .contains(256 * MIB);
    }

    @Test
    void aListSaysWhatTheKernelSays() throws Exception {
        assertThat(NumberList.parse("", "5,0-2,1\n")).hasToString("0-2,5");
        assertThat(NumberList.parse("", " ")).isEqualTo(NumberList.NONE);
        assertThat(NumberList.parse("", "7").and(new NumberList(List.of(6)))).hasToString("6-7");
        for (var wrong : List.of("a", "1-", "-1", "3-1", "1,,2", "99999", "0-9999")) {
            assertThatThrownBy(() -> NumberList.parse("cpuset_cpus", wrong))
                    .isInstanceOf(PodException.class)
                    .hasMessageContaining("cpuset_cpus");
        }
    }
}
