package podvm.engine.pod;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static podvm.engine.fake.SandboxBuilder.container;
import static podvm.engine.fake.SandboxBuilder.sandbox;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Agent;
import podvm.engine.ContainerId;
import podvm.engine.MachineEnd;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Pods.ExecSpec;
import podvm.engine.SandboxContainer.State;
import podvm.engine.SandboxEvent;
import podvm.engine.SandboxId;
import podvm.engine.SandboxStatus;

@Timeout(40)
final class SandboxTableTest {
    @TempDir Path directory;
    private SandboxRig rig;

    @BeforeEach
    void openTheTable() throws Exception {
        rig = new SandboxRig(directory);
    }

    @AfterEach
    void closeTheTable() {
        rig.close();
    }

    private Kind failure(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        return catchThrowableOfType(PodException.class, call).kind();
    }

    @Test
    void aPodsNameMayBeLongerThanAHostName() throws Exception {
        rig.run("a".repeat(62) + "-" + "b".repeat(100));
        assertThat(rig.guest().setup().orElseThrow().hostname()).isEqualTo("a".repeat(62));
    }

    @Test
    void aSandboxThatRunsIsReadyAndHasNoContainer() throws Exception {
        var id = rig.run("web");
        var status = rig.table.status(id);
        assertThat(status.state()).isEqualTo(SandboxStatus.State.READY);
        assertThat(status.spec()).isEqualTo(sandbox("web"));
        assertThat(status.ips()).isNotEmpty();
        assertThat(rig.table.list()).containsExactly(status);
        assertThat(rig.table.containers()).isEmpty();
        assertThat(id.text()).matches("[0-9a-f]{64}").startsWith(id.pod().text());
        assertThat(rig.guest().setup().orElseThrow().hostname()).isEqualTo("web");
    }

    @Test
    void theSameMetadataIsRefusedUntilTheOtherIsRemoved() throws Exception {
        var id = rig.run("web");
        assertThat(failure(() -> rig.run("web"))).isEqualTo(Kind.ALREADY_EXISTS);
        rig.table.stop(id);
        assertThat(failure(() -> rig.run("web"))).isEqualTo(Kind.ALREADY_EXISTS);
        rig.table.remove(id);
        rig.run("web");
        rig.table.run(sandbox("web", 1));
        assertThat(rig.table.list()).hasSize(2);
    }

    @Test
    void aSandboxWhoseGuestDoesNotAnswerLeavesNothing() throws Exception {
        rig.node.machines.onBoot(guest ->
                guest.end(new MachineEnd(MachineEnd.Reason.GUEST_PANIC, "no init", "oops")));
        assertThatThrownBy(() -> rig.run("web"))
                .hasMessageContaining("cannot start pod sandbox default/web")
                .hasMessageContaining("no init");
        assertThat(rig.table.list()).isEmpty();
        assertThat(rig.node.open()).isEmpty();
        assertThat(rig.node.sandboxJournals.readAll()).isEmpty();
    }

    @Test
    void whoeverStopsWaitingForASandboxGetsNone() throws Exception {
        rig.node.machines.onBoot(_ -> {});
        var caller =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                rig.run("web");
                            } catch (Exception e) {
                                // expected
                            }
                        });
        Rig.eventually(() -> !rig.node.machines.booted().isEmpty());
        caller.interrupt();
        caller.join();
        Rig.eventually(() -> rig.node.sandboxJournals.readAll().isEmpty());
        assertThat(rig.node.open()).isEmpty();
        assertThat(rig.table.list()).isEmpty();
    }

    @Test
    void aContainerIsCreatedStartedAndEnds() throws Exception {
        var id = rig.run("web");
        var one = rig.create(id, "echo", "hello");
        var created = rig.table.container(one);
        assertThat(created.state()).isEqualTo(State.CREATED);
        assertThat(created.user().orElseThrow().gids()).containsExactly(0);
        assertThat(created.started()).isEmpty();
        assertThat(one.text()).matches("[0-9a-f]{64}");
        rig.table.startContainer(one);
        var end = rig.await(one, State.EXITED);
        assertThat(end.exitCode()).isZero();
        assertThat(end.reason()).isEqualTo("Completed");
        assertThat(end.started()).isPresent();
        assertThat(end.finished().orElseThrow()).isAfterOrEqualTo(end.started().orElseThrow());
        assertThat(end.created()).isEqualTo(created.created());
        assertThat(failure(() -> rig.table.startContainer(one))).isEqualTo(Kind.CONFLICT);
        assertThat(rig.node.programs.runs("echo")).isEqualTo(1);
    }

    @Test
    void aFailedContainerIsNotRunAgain() throws Exception {
        var id = rig.run("web");
        var end = rig.await(rig.start(id, "false"), State.EXITED);
        assertThat(end.reason()).isEqualTo("Error");
        assertThat(end.exitCode()).isEqualTo(1);
        assertThat(rig.table.status(id).state()).isEqualTo(SandboxStatus.State.READY);
        assertThat(rig.node.programs.runs("false")).isEqualTo(1);
    }

    @Test
    void aProgramThatIsNotThereIsTheStartsFailureAndTheContainersEnd() throws Exception {
        var id = rig.run("web");
        var one = rig.create(id, "nonsense");
        assertThatThrownBy(() -> rig.table.startContainer(one)).hasMessageContaining("not found");
        var end = rig.table.container(one);
        assertThat(end.state()).isEqualTo(State.EXITED);
        assertThat(end.reason()).isEqualTo("ContainerStartFailed");
        assertThat(end.exitCode()).isEqualTo(127);
    }

    @Test
    void outputGoesToTheCallersFileAndFollowsItWhenItIsMoved() throws Exception {
        var go = new java.util.concurrent.CountDownLatch(1);
        rig.node.programs.put(
                "talk",
                process -> {
                    process.println("one");
                    go.await();
                    process.println("two");
                    return process.untilSignalled();
                });
        var log = directory.resolve("pods/web/talk/0.log");
        var id = rig.run("web");
        var one = rig.start(id, container("talk").log(log).build());
        Rig.eventually(() -> Files.exists(log) && Files.size(log) > 0);
        assertThat(Files.readString(log)).matches("\\S+ stdout F one\\n");
        Files.move(log, directory.resolve("rotated"));
        rig.table.reopenLog(one);
        go.countDown();
        Rig.eventually(() -> Files.size(log) > 0);
        assertThat(Files.readString(log)).matches("\\S+ stdout F two\\n");
        rig.table.stopContainer(one, Duration.ofSeconds(5));
        assertThat(failure(() -> rig.table.reopenLog(one))).isEqualTo(Kind.CONFLICT);
    }

    @Test
    void aStoppedContainerGetsItsSignalAndThenNoMercy() throws Exception {
        var signals = new CopyOnWriteArrayList<Integer>();
        rig.node.programs.put(
                "quit",
                process -> {
                    signals.add(process.nextSignal());
                    return 3;
                });
        var id = rig.run("web");
        var quit = rig.start(id, container("quit").stopSignal("SIGQUIT").build());
        rig.table.stopContainer(quit, Duration.ofSeconds(20));
        assertThat(signals).containsExactly(3);
        assertThat(rig.table.container(quit).exitCode()).isEqualTo(3);
        var deaf = rig.start(id, "deaf");
        rig.table.stopContainer(deaf, Duration.ofMillis(20));
        assertThat(rig.table.container(deaf).exitCode()).isEqualTo(137);
        assertThat(rig.table.container(deaf).state()).isEqualTo(State.EXITED);
    }

    @Test
    void whatHasEndedOrIsNotKnownIsStoppedAndRemovedWithoutError() throws Exception {
        var id = rig.run("web");
        var one = rig.start(id, "true");
        rig.await(one, State.EXITED);
        rig.table.stopContainer(one, Duration.ZERO);
        rig.table.removeContainer(one);
        rig.table.removeContainer(one);
        rig.table.stopContainer(one, Duration.ZERO);
        rig.table.stopContainer(ContainerId.randomLong(), Duration.ZERO);
        assertThat(failure(() -> rig.table.container(one))).isEqualTo(Kind.NOT_FOUND);
        rig.table.stop(id);
        rig.table.stop(id);
        rig.table.remove(id);
        rig.table.remove(id);
        rig.table.stop(SandboxId.random());
        assertThat(failure(() -> rig.table.status(id))).isEqualTo(Kind.NOT_FOUND);
        assertThat(rig.node.open()).isEmpty();
        assertThat(rig.node.sandboxJournals.readAll()).isEmpty();
    }

    @Test
    void aCreatedContainerIsLeftAloneByAStopAndGoneAfterARemoval() throws Exception {
        var id = rig.run("web");
        var one = rig.create(id, "server");
        rig.table.stopContainer(one, Duration.ZERO);
        assertThat(rig.table.container(one).state()).isEqualTo(State.CREATED);
        rig.table.removeContainer(one);
        assertThat(rig.table.containers()).isEmpty();
        assertThat(rig.guest().reports()).isEmpty();
    }

    @Test
    void aRunningContainerIsKilledByItsRemoval() throws Exception {
        var id = rig.run("web");
        var one = rig.start(id, "deaf");
        rig.table.removeContainer(one);
        assertThat(rig.table.containers()).isEmpty();
        assertThat(rig.node.programs.runningNow("deaf")).isZero();
        assertThat(rig.guest().reports()).isEmpty();
    }

    @Test
    void aStoppedSandboxKeepsItsContainersUntilItIsRemoved() throws Exception {
        var id = rig.run("web");
        var one = rig.start(id, "deaf");
        var two = rig.create(id, "server");
        rig.table.stop(id);
        assertThat(rig.table.status(id).state()).isEqualTo(SandboxStatus.State.NOT_READY);
        assertThat(rig.table.status(id).reason()).isEqualTo("Stopped");
        assertThat(rig.table.container(one).exitCode()).isEqualTo(137);
        assertThat(rig.table.container(two).state()).isEqualTo(State.EXITED);
        assertThat(rig.table.container(two).started()).isEmpty();
        assertThat(rig.node.open()).isEmpty();
        assertThat(failure(() -> rig.create(id, "true"))).isEqualTo(Kind.CONFLICT);
        rig.table.removeContainer(one);
        assertThat(rig.table.containers()).hasSize(1);
        rig.table.remove(id);
        assertThat(rig.table.containers()).isEmpty();
    }

    @Test
    void aGuestThatCannotKillIsEndedWithItsMachine() throws Exception {
        var id = rig.run("web");
        var one = rig.start(id, "deaf");
        rig.guest().getStuck();
        rig.table.stopContainer(one, Duration.ZERO);
        assertThat(rig.table.container(one).state()).isEqualTo(State.EXITED);
        Rig.eventually(() -> rig.node.open().isEmpty());
        assertThat(rig.table.status(id).reason()).isEqualTo("StopForced");
    }

    @Test
    void aStuckGuestsSandboxIsStoppedAllTheSame() throws Exception {
        var id = rig.run("web");
        rig.start(id, "deaf");
        rig.guest().getStuck();
        rig.table.stop(id);
        assertThat(rig.node.open()).isEmpty();
        rig.table.remove(id);
    }

    @Test
    void aSilentAgentsSandboxIsStoppedWhileItIsConnectedAgain() throws Exception {
        var id = rig.run("web");
        rig.start(id, "deaf");
        rig.guest().fallSilent();
        rig.guest().disconnectAll();
        rig.table.stop(id);
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aMachineThatDiesTakesItsContainersWithItAndItsResourcesAreGivenBack() throws Exception {
        var id = rig.run("web");
        var one = rig.start(id, "server");
        rig.guest().end(new MachineEnd(MachineEnd.Reason.VMM_KILLED, "killed by signal 9", ""));
        Rig.eventually(() -> rig.table.status(id).state() == SandboxStatus.State.NOT_READY);
        Rig.eventually(() -> rig.node.open().isEmpty());
        var end = rig.table.container(one);
        assertThat(end.state()).isEqualTo(State.EXITED);
        assertThat(end.exitCode()).isEqualTo(137);
        assertThat(rig.table.status(id).reason()).isEqualTo("VmmKilled");
        assertThat(rig.table.status(id).message()).contains("killed by signal 9");
        rig.table.stop(id);
        rig.table.remove(id);
        assertThat(rig.table.list()).isEmpty();
    }

    @Test
    void aLostConnectionIsMadeAgainAndNothingIsLost() throws Exception {
        var id = rig.run("web");
        var one = rig.start(id, "server");
        var two = rig.create(id, "echo", "x");
        rig.guest().disconnectAll();
        Rig.eventually(() -> rig.guest().connections() == 1);
        rig.table.startContainer(two);
        rig.await(two, State.EXITED);
        assertThat(rig.table.container(one).state()).isEqualTo(State.RUNNING);
        rig.table.stopContainer(one, Duration.ofSeconds(20));
        assertThat(rig.table.container(one).exitCode()).isZero();
    }

    @Test
    void theSameContainerIsRefusedInOneSandboxOnly() throws Exception {
        var id = rig.run("web");
        rig.create(id, "server");
        assertThat(failure(() -> rig.create(id, "server"))).isEqualTo(Kind.ALREADY_EXISTS);
        rig.table.createContainer(id, container("server").attempt(1).build());
        rig.create(rig.run("db"), "server");
        assertThat(rig.table.containers()).hasSize(3);
    }

    @Test
    void whatIsNotThereIsSaid() throws Exception {
        var id = rig.run("web");
        assertThat(failure(() -> rig.create(SandboxId.random(), "true"))).isEqualTo(Kind.NOT_FOUND);
        assertThat(failure(() -> rig.table.startContainer(ContainerId.randomLong())))
                .isEqualTo(Kind.NOT_FOUND);
        rig.node.images.remove("image");
        assertThatThrownBy(() -> rig.create(id, "true")).hasMessageContaining("image image");
        assertThat(rig.table.containers()).isEmpty();
        assertThat(rig.guest().reports()).isEmpty();
    }

    @Test
    void aProgramRunsBesideARunningContainerOnly() throws Exception {
        var id = rig.run("web");
        var one = rig.create(id, "server");
        var spec = new ExecSpec(List.of("echo", "hi"), List.of(), "", "", false, false, 0, 0);
        var output = new StringBuffer();
        var sink =
                new Agent.ExecOutput() {
                    @Override
                    public void stdout(byte[] data) {
                        output.append(new String(data, UTF_8));
                    }

                    @Override
                    public void stderr(byte[] data) {}
                };
        assertThat(failure(() -> rig.table.exec(one, spec, sink))).isEqualTo(Kind.CONFLICT);
        rig.table.startContainer(one);
        try (var session = rig.table.exec(one, spec, sink)) {
            assertThat(session.await().exitCode()).isZero();
        }
        assertThat(output.toString()).isEqualTo("hi\n");
    }

    @Test
    void whoIsAttachedSeesOutputGivesInputAndLearnsTheExitCode() throws Exception {
        rig.node.programs.put(
                "cat",
                process -> {
                    process.print(process.read());
                    return 4;
                });
        var id = rig.run("web");
        var one = rig.start(id, container("cat").stdin().build());
        var output = new StringBuffer();
        var attached =
                rig.table.attach(
                        one,
                        new Agent.ExecOutput() {
                            @Override
                            public void stdout(byte[] data) {
                                output.append(new String(data, UTF_8));
                            }

                            @Override
                            public void stderr(byte[] data) {}
                        });
        attached.stdin("hello".getBytes(UTF_8));
        assertThat(attached.await()).isEqualTo(4);
        assertThat(output.toString()).isEqualTo("hello");
        attached.close();
    }

    @Test
    void eventsTellWhatHappenedInTurn() throws Exception {
        var id = rig.run("web");
        var one = rig.start(id, "true");
        rig.await(one, State.EXITED);
        rig.table.removeContainer(one);
        rig.table.remove(id);
        assertThat(rig.events)
                .extracting(event ->
                        (event.container().isPresent() ? "container " : "sandbox ") + event.type())
                .containsExactly(
                        "sandbox CREATED",
                        "sandbox STARTED",
                        "container CREATED",
                        "container STARTED",
                        "container STOPPED",
                        "container DELETED",
                        "sandbox STOPPED",
                        "sandbox DELETED");
        var stopped = rig.events.get(4);
        assertThat(stopped.type()).isEqualTo(SandboxEvent.Type.STOPPED);
        assertThat(stopped.containers().getFirst().state()).isEqualTo(State.EXITED);
        assertThat(stopped.sandbox().state()).isEqualTo(SandboxStatus.State.READY);
    }

    @Test
    void aContainerThatTheJournalCannotKeepIsNotMade() throws Exception {
        var id = rig.run("web");
        rig.node.sandboxJournals.diskIsFull(true);
        assertThat(failure(() -> rig.create(id, "server"))).isEqualTo(Kind.EXHAUSTED);
        assertThat(rig.table.containers()).isEmpty();
        assertThat(rig.guest().reports()).isEmpty();
        rig.node.sandboxJournals.diskIsFull(false);
        rig.start(id, "server");
    }
}
