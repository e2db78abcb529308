package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static podvm.engine.fake.SandboxBuilder.container;
import static podvm.engine.fake.SandboxBuilder.sandbox;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.MachineEnd;
import podvm.engine.PodException;
import podvm.engine.SandboxContainer.State;
import podvm.engine.SandboxId;
import podvm.engine.SandboxStatus;
import podvm.engine.fake.FakeNode;
import podvm.engine.fake.MortalDaemon;

@Timeout(60)
final class SandboxAdoptionTest {
    @TempDir Path directory;

    @BeforeAll
    static void theDeadDieSilently() {
        AdoptionTest.theDeadDieSilently();
    }

    @AfterAll
    static void othersDieLoudly() {
        AdoptionTest.othersDieLoudly();
    }

    /** What a caller was told before the daemon died. */
    private static final class Told {
        volatile Optional<SandboxId> sandbox = Optional.empty();
        volatile boolean removal;
        volatile boolean ended;

        /** By what is known of its state; a container whose removal was asked for is not here. */
        final Map<ContainerId, State> containers = new HashMap<>();
    }

    private static void live(SandboxTable table, Told told, Path log) throws Exception {
        var id = table.run(sandbox("web"));
        told.sandbox = Optional.of(id);
        var server =
                table.createContainer(
                        id,
                        container("server")
                                .log(log)
                                .mount(SandboxSharesTest.path("/etc/hosts"))
                                .build());
        told.containers.put(server, State.CREATED);
        told.containers.remove(server);
        table.startContainer(server);
        told.containers.put(server, State.RUNNING);
        var second =
                table.createContainer(
                        id,
                        container("deaf")
                                .mount(
                                        SandboxSharesTest.path("/etc/hosts"),
                                        SandboxSharesTest.path("/srv"))
                                .build());
        table.startContainer(second);
        table.stopContainer(second, Duration.ZERO);
        told.containers.put(second, State.EXITED);
        told.containers.remove(second);
        table.removeContainer(second);
        told.containers.clear();
        table.stop(id);
        told.removal = true;
        table.remove(id);
        told.ended = true;
    }

    @Test
    void aDaemonMayDieBeforeOrAfterAnyCallOfAPort() throws Exception {
        int step = 1;
        for (boolean died = true; died; step++) {
            var place = Files.createDirectories(directory.resolve("" + step));
            var node = new FakeNode(place);
            SandboxRig.pull(node);
            var daemon = new MortalDaemon(node, step);
            var told = new Told();
            var caller =
                    Thread.ofVirtual()
                            .start(() -> {
                                try (var table =
                                        SandboxTable.open(
                                                daemon.ports(), Rig.SETTINGS, Rig.PATIENT)) {
                                    live(table, told, place.resolve("log"));
                                } catch (Exception | MortalDaemon.Killed e) {
                                    // its daemon is dead
                                }
                            });
            while (!caller.join(Duration.ofMillis(5))) {
                if (daemon.dead()) {
                    caller.interrupt();
                }
            }
            died = daemon.dead();
            daemon.awaitStillness();
            check(node, told, "step " + step + ": " + daemon.lastCall());
        }
        assertThat(step).isGreaterThan(40);
    }

    private static void check(FakeNode node, Told told, String where) throws Exception {
        try (var table = SandboxTable.open(node.ports(), Rig.SETTINGS, Rig.PATIENT)) {
            if (told.sandbox.isPresent() && !told.removal) {
                assertThat(table.list())
                        .as(where)
                        .extracting(SandboxStatus::id)
                        .containsExactly(told.sandbox.get());
            }
            for (var one : told.containers.entrySet()) {
                assertThat(table.container(one.getKey()).state())
                        .as(where)
                        .isEqualTo(one.getValue());
            }
            if (told.sandbox.isPresent() && !told.removal) {
                // whatever the daemon was doing, each share that a container has is answered
                var guest = node.machines.booted().getLast();
                Rig.eventually(
                        () -> !guest.alive() || guest.shares().equals(Set.copyOf(guest.served())));
            }
            // what the caller was not told of may be there or not, and can be removed in each case
            for (var left : table.list()) {
                for (var container : table.containers()) {
                    table.removeContainer(container.id());
                }
                table.remove(left.id());
            }
            assertThat(table.containers()).as(where).isEmpty();
        }
        try (var pods = PodTable.open(node.ports(), Rig.SETTINGS, Rig.PATIENT)) {
            assertThat(pods.all()).isEmpty();
        }
        assertThat(node.open()).as(where).isEmpty();
        assertThat(node.sandboxJournals.readAll()).as(where).isEmpty();
        assertThat(node.programs.runs("server")).as(where).isLessThanOrEqualTo(1);
        assertThat(told.ended || node.programs.runningNow("server") == 0).as(where).isTrue();
    }

    @Test
    void theNextDaemonKnowsTheSameAndCanGoOn() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var log = directory.resolve("log");
            var id = rig.run("web");
            var running = rig.start(id, container("server").log(log).build());
            var created = rig.create(id, "echo", "later");
            var ended = rig.start(id, "false");
            rig.await(ended, State.EXITED);
            var sandboxes = rig.table.list();
            var containers = rig.table.containers();
            rig.restart();
            assertThat(rig.table.list()).isEqualTo(sandboxes);
            assertThat(rig.table.containers()).isEqualTo(containers);
            rig.table.startContainer(created);
            rig.await(created, State.EXITED);
            rig.table.stopContainer(running, Duration.ofSeconds(20));
            assertThat(rig.table.container(running).exitCode()).isZero();
            assertThat(rig.node.programs.runs("server")).isEqualTo(1);
            rig.table.remove(id);
            assertThat(rig.node.open()).isEmpty();
        }
    }

    @Test
    void whatEndedWhileNoDaemonRanIsToldWithItsOwnExitCode() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var go = new java.util.concurrent.CountDownLatch(1);
            rig.node.programs.put(
                    "work",
                    process -> {
                        go.await();
                        process.println("done");
                        return 7;
                    });
            var log = directory.resolve("log");
            var one = rig.start(rig.run("web"), container("work").log(log).build());
            rig.table.close();
            go.countDown();
            Rig.eventually(() -> rig.node.programs.runningNow("work") == 0);
            rig.restart();
            assertThat(rig.await(one, State.EXITED).exitCode()).isEqualTo(7);
            assertThat(Files.readString(log)).endsWith(" stdout F done\n");
        }
    }

    @Test
    void aMachineThatEndedWhileNoDaemonRanLeavesASandboxThatIsNotReady() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            var one = rig.start(id, "server");
            var other = rig.create(id, "true");
            rig.table.close();
            rig.guest().end(new MachineEnd(MachineEnd.Reason.VMM_KILLED, "killed", ""));
            rig.restart();
            Rig.eventually(() -> rig.table.status(id).state() == SandboxStatus.State.NOT_READY);
            assertThat(rig.await(one, State.EXITED).exitCode()).isEqualTo(137);
            assertThat(rig.await(other, State.EXITED).started()).isEmpty();
            Rig.eventually(() -> rig.node.open().isEmpty());
            rig.table.remove(id);
            assertThat(rig.node.sandboxJournals.readAll()).isEmpty();
        }
    }

    @Test
    void aContainerThatTheGuestHasLostIsUnknownAndCanBeRemoved() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            var one = rig.start(id, "server");
            rig.table.close();
            var address = rig.node.machines.find(id.pod()).orElseThrow().guest();
            try (var agent =
                    rig.node.agents.connect(address, Deadline.after(Duration.ofSeconds(9)))) {
                agent.remove(one, Deadline.after(Duration.ofSeconds(9)));
            }
            rig.restart();
            rig.await(one, State.UNKNOWN);
            rig.table.removeContainer(one);
            assertThat(rig.table.containers()).isEmpty();
        }
    }

    @Test
    void theTableOfPodsLeavesTheMachinesOfSandboxesAlone() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var one = rig.start(rig.run("web"), "server");
            try (var pods = PodTable.open(rig.node.ports(), Rig.SETTINGS, Rig.PATIENT)) {
                assertThat(pods.all()).isEmpty();
            }
            assertThat(rig.guest().alive()).isTrue();
            assertThat(rig.table.container(one).state()).isEqualTo(State.RUNNING);
        }
    }

    @Test
    void aStoppedSandboxIsStillThereForTheNextDaemon() throws Exception {
        try (var rig = new SandboxRig(directory)) {
            var id = rig.run("web");
            rig.start(id, "server");
            rig.table.stop(id);
            var status = rig.table.status(id);
            var containers = rig.table.containers();
            rig.restart();
            assertThat(rig.table.status(id)).isEqualTo(status);
            assertThat(rig.table.containers()).isEqualTo(containers);
            rig.table.remove(id);
            assertThat(rig.table.list()).isEmpty();
        } catch (PodException e) {
            throw new AssertionError(e.describe(), e);
        }
    }
}
