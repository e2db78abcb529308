package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static podvm.engine.fake.SandboxBuilder.container;

import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Agent;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.Mount;
import podvm.engine.ContainerConfig.Mount.Propagation;
import podvm.engine.ContainerConfig.MountSource;
import podvm.engine.PodException;
import podvm.engine.SandboxContainer.State;
import podvm.engine.SandboxRecord;
import podvm.engine.SandboxShare;
import podvm.engine.Shares.Mounts;
import podvm.engine.Shares.Tree;
import podvm.engine.Shares.Writable;

/** Paths of the host in the containers of a sandbox. */
@Timeout(60)
final class SandboxSharesTest {
    @TempDir Path directory;

    static Mount path(String path) {
        return mount(path, false, false, Propagation.PRIVATE);
    }

    private static Mount mount(
            String path, boolean readOnly, boolean recursive, Propagation propagation) {
        return new Mount(
                "/at" + path,
                new MountSource.HostPath(Path.of(path)),
                "",
                readOnly,
                recursive,
                propagation,
                false);
    }

    private static ContainerConfig with(String command, Mount... mounts) {
        return container(command).mount(mounts).build();
    }

    /** Names of the shares that a container's mounts lead to, in their order. */
    private static List<String> names(Agent.ContainerPlan plan) {
        return plan.mounts().stream()
                .map(mount -> ((Agent.MountSource.Share) mount.source()).name())
                .toList();
    }

    private static void allServed(SandboxRig rig, int count) throws Exception {
        Rig.eventually(() ->
                rig.guest().shares().size() == count
                        && rig.guest().served().size() == count
                        && Set.copyOf(rig.guest().served()).equals(rig.guest().shares()));
    }

    @Test
    void aPathIsServedWhileItsContainerIsThere() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            var one = rig.start(id, with("server", path("/srv"), path("/data")));
            allServed(rig, 2);
            var plan = rig.guest().plans().getFirst();
            assertThat(names(plan)).doesNotHaveDuplicates();
            assertThat(plan.mounts())
                    .extracting(Agent.MountPlan::destination)
                    .containsExactly("/at/srv", "/at/data");
            rig.table.removeContainer(one);
            allServed(rig, 0);
            assertThat(rig.node.shares.open()).isEmpty();
            assertThat(shares(rig)).isEmpty();
        }
    }

    private static List<SandboxShare> shares(SandboxRig rig) throws Exception {
        return rig.node.sandboxJournals.readAll().stream()
                .map(SandboxRecord::shares)
                .flatMap(List::stream)
                .toList();
    }

    @Test
    void containersThatMountTheSameHaveOneShare() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            var one = rig.start(id, with("server", path("/srv")));
            var two = rig.start(id, with("deaf", path("/srv"), path("/srv")));
            var plans = rig.guest().plans();
            assertThat(names(plans.get(1)))
                    .containsExactly(
                            names(plans.getFirst()).getFirst(), names(plans.getFirst()).getFirst());
            assertThat(shares(rig).getFirst().users()).containsExactly(one, two);
            rig.table.removeContainer(one);
            allServed(rig, 1);
            rig.table.removeContainer(two);
            allServed(rig, 0);
        }
    }

    @Test
    void whatMayBeWrittenAndSeenIsSaidToTheShareAndMakesAnotherOne() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            rig.start(
                    id,
                    with(
                            "server",
                            mount("/a", true, false, Propagation.PRIVATE),
                            mount("/a", true, true, Propagation.PRIVATE),
                            mount("/a", true, false, Propagation.HOST_TO_CONTAINER),
                            mount("/a", false, false, Propagation.PRIVATE),
                            mount("/a", false, false, Propagation.HOST_TO_CONTAINER)));
            var root = Path.of("/a");
            assertThat(rig.node.shares.open())
                    .extracting(podvm.engine.Shares.ShareSpec::tree)
                    .containsExactly(
                            new Tree(root, Writable.BELOW_MOUNTS, Mounts.AS_OPENED),
                            new Tree(root, Writable.NOTHING, Mounts.AS_OPENED),
                            new Tree(root, Writable.NOTHING, Mounts.LIVE),
                            new Tree(root, Writable.ALL, Mounts.AS_OPENED),
                            new Tree(root, Writable.ALL, Mounts.LIVE));
            // what is writable below mounts cannot be read-only in the guest
            assertThat(rig.guest().plans().getFirst().mounts())
                    .extracting(Agent.MountPlan::readOnly)
                    .containsExactly(false, true, true, false, false);
        }
    }

    @Test
    void whoOnlyReadsHasTheShareOfWhoWrites() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            rig.start(id, with("server", path("/a")));
            rig.start(id, with("deaf", mount("/a", true, true, Propagation.PRIVATE)));
            allServed(rig, 1);
            assertThat(rig.guest().plans().getLast().mounts().getFirst().readOnly()).isTrue();
        }
    }

    @Test
    void aPathThatLeadsElsewhereByNowIsAnotherShare() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            rig.start(id, with("server", path("/srv")));
            rig.node.shares.change(Path.of("/srv"));
            rig.start(id, with("deaf", path("/srv")));
            allServed(rig, 2);
        }
    }

    @Test
    void aLostConnectionIsFollowedByOneThatServesAll() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            var one = rig.start(id, with("server", path("/srv"), path("/data")));
            allServed(rig, 2);
            rig.guest().disconnectAll();
            Rig.eventually(() -> rig.guest().connections() == 1);
            allServed(rig, 2);
            rig.table.removeContainer(one);
            allServed(rig, 0);
        }
    }

    @Test
    void theNextDaemonServesTheSameSharesAndEndsThemWithTheirContainers() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            var one = rig.start(id, with("server", path("/srv")));
            var before = shares(rig);
            rig.restart();
            allServed(rig, 1);
            assertThat(shares(rig)).isEqualTo(before);
            rig.start(id, with("deaf", path("/srv")));
            allServed(rig, 1);
            rig.table.removeContainer(one);
            allServed(rig, 1);
            rig.table.remove(id);
            assertThat(rig.node.open()).isEmpty();
        }
    }

    @Test
    void whatTheNextDaemonDoesNotFindEndsInTheGuestAndIsTold() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            var one = rig.start(id, with("server", path("/srv"), path("/data")));
            rig.table.close();
            rig.node.shares.takeAway(Path.of("/srv"));
            rig.restart();
            allServed(rig, 1);
            Rig.eventually(() -> rig.table.container(one).state() == State.RUNNING);
            assertThat(rig.node.events)
                    .anyMatch(event ->
                            event.name().equals("ShareLost") && event.text().contains("/srv"));
        }
    }

    @Test
    void aContainerThatCannotBeMadeLeavesNoShare() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            rig.node.shares.takeAway(Path.of("/gone"));
            assertThatThrownBy(() -> rig.start(id, with("server", path("/srv"), path("/gone"))))
                    .isInstanceOf(PodException.class)
                    .hasMessageContaining("/gone");
            var stranger = container("server").mount(path("/srv")).stopSignal("NONSENSE").build();
            assertThatThrownBy(() -> rig.start(id, stranger)).isInstanceOf(PodException.class);
            allServed(rig, 0);
            assertThat(rig.node.shares.open()).isEmpty();
            assertThat(shares(rig)).isEmpty();
            assertThat(rig.table.containers()).isEmpty();
        }
    }

    @Test
    void theEndOfTheSandboxIsTheEndOfItsShares() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            rig.start(id, with("server", path("/srv")));
            rig.table.stop(id);
            assertThat(rig.node.open()).isEmpty();
            assertThat(shares(rig)).isEmpty();
            rig.table.remove(id);
        }
    }
}
