package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static podvm.engine.fake.PodBuilder.pod;

import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import podvm.engine.MachineEnd;
import podvm.engine.MachineSize;
import podvm.engine.PodSpec.RestartPolicy;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.PodStatus.Phase;
import podvm.engine.fake.FakeMachines;

@Timeout(40)
final class MachineLossTest {
    @TempDir Path directory;
    private Rig rig;

    @BeforeEach
    void openTheTable() throws Exception {
        rig = new Rig(directory);
    }

    @AfterEach
    void closeTheTable() {
        rig.close();
    }

    private static MachineEnd end(MachineEnd.Reason reason) {
        return new MachineEnd(reason, "it went like this", "line 1\n\u001b[31mline 2\u009b");
    }

    @ParameterizedTest
    @EnumSource
    void whateverEndsTheMachineAllContainersAreReportedDead(MachineEnd.Reason reason)
            throws Exception {
        var id =
                rig.run(pod("web").restart(RestartPolicy.ALWAYS).run("server").run("deaf").build());
        rig.awaitRunning(id, "server");
        rig.awaitRunning(id, "deaf");
        rig.guest().end(end(reason));
        var status = rig.awaitEnd(id);
        assertThat(status.phase()).isEqualTo(Phase.FAILED);
        assertThat(status.reason())
                .isEqualTo(
                        switch (reason) {
                            case POWER_OFF -> "GuestPoweredOff";
                            case GUEST_PANIC -> "GuestPanic";
                            case VMM_FAILED -> "VmmFailed";
                            case VMM_KILLED -> "VmmKilled";
                            case CLOSED -> "MachineClosed";
                        });
        assertThat(status.message()).contains("it went like this");
        assertThat(status.console()).isEqualTo("line 1\n[31mline 2");
        for (var container : status.containers()) {
            assertThat(container.state()).isInstanceOf(Terminated.class);
            var state = (Terminated) container.state();
            assertThat(state.exitCode()).isEqualTo(137);
        }
        assertThat(status.exitCode()).isEqualTo(137);
        assertThat(rig.node.open()).isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void aMachineThatEndsBeforeItsAgentAnswersShowsItsConsole(MachineEnd.Reason reason)
            throws Exception {
        rig.node.machines.onBoot(guest -> guest.end(end(reason)));
        var id = rig.run(pod("web").run("server").build());
        var status = rig.awaitEnd(id);
        assertThat(status.reason()).isEqualTo("MachineFailed");
        assertThat(status.message())
                .contains("pod web")
                .contains("it went like this")
                .contains("    line 1");
        assertThat(status.console()).contains("line 1");
        assertThat(status.exitCode()).isEqualTo(125);
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aMachineThatEndsWhileTheAgentIsAwaitedEndsTheWait() throws Exception {
        rig.node.machines.onBoot(_ -> {});
        var id = rig.run(pod("web").run("server").build());
        Rig.eventually(() -> !rig.node.machines.booted().isEmpty());
        rig.guest().end(end(MachineEnd.Reason.GUEST_PANIC));
        assertThat(rig.awaitEnd(id).message()).contains("it went like this");
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aCopyThatDoesNotAnswerIsFollowedByAMachineThatBoots() throws Exception {
        var templates = rig.node.machines.useTemplates();
        templates.have(new MachineSize(1, 512 + 128));
        rig.node.machines.onBoot(guest -> {
            if (rig.node.machines.booted().size() == 1) {
                guest.end(FakeMachines.ENDED);
            } else {
                guest.answer();
            }
        });
        var id = rig.run(pod("web").run("server").build());
        var status = rig.await(id, one -> one.phase() == Phase.RUNNING);
        assertThat(status.timeline())
                .extracting(PodStatus.Stage::name)
                .containsSubsequence("machine.cloned", "machine.started", "agent.connected");
        assertThat(templates.list())
                .singleElement()
                .satisfies(one -> assertThat(one.failure()).get().asString().contains("panicked"));
        assertThat(rig.node.machines.open()).hasSize(1);
    }

    @Test
    void aGuestThatNeverAnswersIsGivenUpWithItsConsole() throws Exception {
        rig.close();
        var s = Rig.SETTINGS;
        rig =
                new Rig(
                        directory.resolve("hasty"),
                        new EngineSettings(
                                s.nodeName(),
                                s.defaultCpuMillis(),
                                s.defaultMemoryMib(),
                                s.overheadMib(),
                                s.scratchBytes(),
                                Duration.ofMillis(100),
                                s.firstBackoff(),
                                s.lastBackoff(),
                                s.logs(),
                                s.endedPodsKept()));
        rig.node.machines.onBoot(guest -> guest.print("hangs in calibration\n"));
        var status = rig.awaitEnd(rig.run(pod("web").run("server").build()));
        assertThat(status.reason()).isEqualTo("MachineFailed");
        assertThat(status.message())
                .contains("did not answer")
                .contains("    hangs in calibration")
                .contains("podvm doctor");
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void outputGoesOnWhereALostConnectionCutIt() throws Exception {
        var more = new Semaphore(0);
        rig.node.programs.put(
                "counter",
                process -> {
                    for (int i = 0; i < 300; i++) {
                        if (i % 100 == 0) {
                            more.acquire();
                        }
                        process.print("line " + i + (i % 7 == 0 ? "" : "\n"));
                    }
                    more.acquire();
                    return 0;
                });
        var id = rig.run(pod("web").run("counter").build());
        var expected = new StringBuilder();
        for (int i = 0; i < 300; i++) {
            expected.append("line ").append(i).append(i % 7 == 0 ? "" : "\n");
        }
        for (int cut = 0; cut < 3; cut++) {
            rig.awaitRunning(id, "counter");
            more.release();
            rig.guest().disconnectAll();
            int wanted = cut + 1;
            Rig.eventually(() ->
                    rig.eventNames().stream().filter("AgentReconnect"::equals).count() >= wanted
                            && rig.guest().connections() == 1);
        }
        more.release();
        var end = rig.awaitEnd(id);
        assertThat(end.phase()).isEqualTo(Phase.SUCCEEDED);
        assertThat(rig.log(id, "counter")).isEqualTo(expected.toString().lines().toList());
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void anExitDuringALostConnectionIsSeenAfterwards() throws Exception {
        var go = new Semaphore(0);
        rig.node.programs.put(
                "late",
                process -> {
                    go.acquire();
                    process.println("the last word");
                    return 5;
                });
        var id = rig.run(pod("web").run("late").build());
        rig.awaitRunning(id, "late");
        rig.guest().fallSilent();
        rig.guest().disconnectAll();
        go.release();
        Rig.eventually(() -> rig.node.programs.runningNow("late") == 0);
        rig.guest().answer();
        assertThat(rig.awaitEnd(id).exitCode()).isEqualTo(5);
        assertThat(rig.log(id, "late")).containsExactly("the last word");
    }

    @Test
    void aConnectionThatBreaksAgainAndAgainEndsThePod() throws Exception {
        var id = rig.run(pod("web").run("server").build());
        rig.awaitRunning(id, "server");
        while (!rig.pods.status(id).phase().ended()) {
            rig.guest().disconnectAll();
            Thread.sleep(2);
        }
        var status = rig.pods.status(id);
        assertThat(status.reason()).isEqualTo("AgentLost");
        assertThat(((Terminated) Rig.state(status, "server")).reason()).isEqualTo("MachineEnded");
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aMachineThatEndsWhileTheConnectionIsLostEndsThePodAtOnce() throws Exception {
        var id = rig.run(pod("web").run("server").build());
        rig.awaitRunning(id, "server");
        rig.guest().fallSilent();
        rig.guest().disconnectAll();
        Rig.eventually(() -> rig.eventNames().contains("AgentReconnect"));
        rig.guest().end(end(MachineEnd.Reason.VMM_KILLED));
        assertThat(rig.awaitEnd(id).reason()).isEqualTo("VmmKilled");
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aFullDiskDoesNotEndPodsThatRun() throws Exception {
        var go = new Semaphore(0);
        rig.node.programs.put(
                "waiting",
                _ -> {
                    go.acquire();
                    return go.availablePermits() > 0 ? 0 : 1;
                });
        var id = rig.run(pod("web").restart(RestartPolicy.ON_FAILURE).run("waiting").build());
        rig.awaitRunning(id, "waiting");
        rig.node.journals.diskIsFull(true);
        go.release();
        rig.await(id, status -> Rig.of(status, "waiting").restarts() == 1);
        Rig.eventually(() -> rig.eventNames().contains("JournalFailed"));
        assertThat(rig.node.programs.runs("waiting")).isEqualTo(1);
        rig.node.journals.diskIsFull(false);
        go.release(2);
        var end = rig.awaitEnd(id);
        assertThat(end.phase()).isEqualTo(Phase.SUCCEEDED);
        assertThat(rig.node.journals.find(id).orElseThrow().status()).isEqualTo(end);
    }

    @Test
    void theConsoleOfAnEndedMachineCanStillBeRead() throws Exception {
        var id = rig.run(pod("web").run("server").build());
        rig.awaitRunning(id, "server");
        rig.guest().print("Linux says hello\n");
        var text = new StringBuilder();
        rig.pods.console(id, false, bytes -> text.append(new String(bytes)));
        assertThat(text.toString()).isEqualTo("Linux says hello\n");
        rig.guest().end(end(MachineEnd.Reason.GUEST_PANIC));
        rig.awaitEnd(id);
        var after = new StringBuilder();
        rig.pods.console(id, false, bytes -> after.append(new String(bytes)));
        assertThat(after.toString()).isEqualTo("line 1\n[31mline 2\n");
        rig.pods.stop(id, Optional.empty());
    }
}
