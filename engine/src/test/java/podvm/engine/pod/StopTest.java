package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static podvm.engine.fake.PodBuilder.container;
import static podvm.engine.fake.PodBuilder.pod;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.ImageConfig;
import podvm.engine.PodException;
import podvm.engine.PodRecord;
import podvm.engine.PodSpec.RestartPolicy;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.PodStatus.Phase;

@Timeout(40)
final class StopTest {
    private static final Optional<Duration> AT_ONCE = Optional.of(Duration.ZERO);

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

    @Test
    void aStopLetsContainersEndByThemselves() throws Exception {
        var id = rig.run(pod("web").restart(RestartPolicy.ALWAYS).run("server").build());
        rig.awaitRunning(id, "server");
        rig.pods.stop(id, Optional.empty());
        var end = rig.pods.status(id);
        assertThat(end.phase()).isEqualTo(Phase.SUCCEEDED);
        assertThat(rig.node.programs.runs("server")).isEqualTo(1);
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void theStopSignalIsTheImages() throws Exception {
        var signals = new CopyOnWriteArrayList<Integer>();
        rig.node.programs.put(
                "quit",
                process -> {
                    signals.add(process.nextSignal());
                    return 0;
                });
        rig.node.images.put("image", imageWithStopSignal("SIGQUIT"));
        var id = rig.run(pod("web").run("quit").build());
        rig.awaitRunning(id, "quit");
        rig.pods.stop(id, Optional.empty());
        assertThat(signals).containsExactly(3);
    }

    @Test
    void aWrongStopSignalIsToldAtTheStart() throws Exception {
        rig.node.images.put("image", imageWithStopSignal("SIGNONSENSE"));
        var end = rig.awaitEnd(rig.run(pod("web").run("server").build()));
        assertThat(end.reason()).isEqualTo("StartFailed");
        assertThat(end.message()).contains("SIGNONSENSE");
        assertThat(rig.node.machines.booted()).isEmpty();
    }

    @Test
    void aStopThatADaemonBeganIsFinishedByTheNext() throws Exception {
        var id = rig.run(pod("web").restart(RestartPolicy.ALWAYS).run("deaf").build());
        rig.awaitRunning(id, "deaf");
        var asking =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                rig.pods.stop(id, Optional.of(Duration.ofMillis(300)));
                            } catch (PodException | InterruptedException e) {
                                // its daemon goes first
                            }
                        });
        Rig.eventually(() -> rig.node.journals.find(id).orElseThrow().stopBy().isPresent());
        rig.pods.close();
        asking.interrupt();
        rig.pods = Rig.open(rig.node.ports(), rig.settings, Rig.PATIENT);
        var end = rig.awaitEnd(id);
        assertThat(Rig.state(end, "deaf")).isInstanceOf(Terminated.class);
        assertThat(rig.node.programs.runs("deaf")).isEqualTo(1);
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aPodWhoseStopWasAskedForBeforeItHadAMachineGetsNone() throws Exception {
        rig.node.machines.onBoot(guest -> {});
        var id = rig.run(pod("web").run("server").build());
        Rig.eventually(() -> !rig.node.machines.booted().isEmpty());
        rig.pods.close();
        var record = rig.node.journals.find(id).orElseThrow();
        rig.node.machines.destroy(id);
        rig.node.journals.write(
                new PodRecord(
                        PodRecord.Stage.STARTING,
                        record.status(),
                        List.of(),
                        Optional.of(Instant.now())));
        rig.pods = Rig.open(rig.node.ports(), rig.settings, Rig.PATIENT);
        assertThat(rig.awaitEnd(id).reason()).isEqualTo("Stopped");
        assertThat(rig.node.machines.booted()).hasSize(1);
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aContainerThatIgnoresTheStopIsKilledAtTheDeadline() throws Exception {
        var id = rig.run(pod("web").run("deaf").build());
        rig.awaitRunning(id, "deaf");
        rig.pods.stop(id, Optional.of(Duration.ofMillis(50)));
        var end = rig.pods.status(id);
        assertThat(end.exitCode()).isEqualTo(137);
        assertThat(((Terminated) Rig.state(end, "deaf")).signal()).isEqualTo(9);
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aSecondStopMayShortenTheFirst() throws Exception {
        var id = rig.run(pod("web").run("deaf").build());
        rig.awaitRunning(id, "deaf");
        var patient =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                rig.pods.stop(id, Optional.of(Duration.ofHours(1)));
                            } catch (Exception e) {
                                throw new IllegalStateException(e);
                            }
                        });
        rig.pods.stop(id, AT_ONCE);
        patient.join();
        assertThat(rig.pods.status(id).exitCode()).isEqualTo(137);
    }

    @Test
    void aGuestThatCannotKillIsEndedWithItsMachine() throws Exception {
        var id = rig.run(pod("web").run("server").build());
        rig.awaitRunning(id, "server");
        rig.guest().getStuck();
        rig.pods.stop(id, AT_ONCE);
        var end = rig.pods.status(id);
        assertThat(end.reason()).isEqualTo("StopForced");
        assertThat(((Terminated) Rig.state(end, "server")).reason()).isEqualTo("MachineEnded");
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aStopWhileImagesArePulledEndsThePodWithoutAMachine() throws Exception {
        rig.node.images.unplug();
        var id = rig.run(pod("web").run("server").build());
        rig.node.images.awaitPull();
        rig.pods.stop(id, Optional.empty());
        var end = rig.pods.status(id);
        assertThat(end.reason()).isEqualTo("Stopped");
        assertThat(end.phase()).isEqualTo(Phase.FAILED);
        assertThat(rig.node.machines.booted()).isEmpty();
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aStopWhileTheGuestBootsLeavesNothing() throws Exception {
        rig.node.machines.onBoot(_ -> {});
        var id = rig.run(pod("web").run("server").build());
        Rig.eventually(() -> !rig.node.machines.booted().isEmpty());
        rig.pods.stop(id, Optional.empty());
        assertThat(rig.pods.status(id).reason()).isEqualTo("Stopped");
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aStopAtAnyMomentOfTheStartEndsThePodOnce() throws Exception {
        for (int i = 0; i < 60; i++) {
            var id = rig.run(pod("web-" + i).run("server").build());
            Thread.sleep(Duration.ofNanos(i * 100_000L));
            rig.pods.stop(id, Optional.empty());
            var end = rig.pods.status(id);
            assertThat(end.phase().ended()).isTrue();
            assertThat(end.reason()).isIn("", "Stopped");
            assertThat(rig.node.journals.find(id).orElseThrow().status()).isEqualTo(end);
        }
        assertThat(rig.node.programs.mostAtOnce("server")).isLessThanOrEqualTo(1);
        assertThat(rig.node.open()).isEmpty();
        assertThat(rig.eventNames()).doesNotContain("JournalFailed", "ReleaseFailed");
    }

    @Test
    void aStopDuringBackOffDoesNotRunTheContainerAgain() throws Exception {
        rig.close();
        var s = Rig.SETTINGS;
        rig =
                new Rig(
                        directory.resolve("slow"),
                        new EngineSettings(
                                s.nodeName(),
                                s.defaultCpuMillis(),
                                s.defaultMemoryMib(),
                                s.overheadMib(),
                                s.scratchBytes(),
                                s.boot(),
                                Duration.ofHours(1),
                                Duration.ofHours(1),
                                s.logs(),
                                s.endedPodsKept()));
        var id = rig.run(pod("web").restart(RestartPolicy.ALWAYS).run("false").build());
        var waiting = rig.await(id, status -> Rig.of(status, "false").restarts() == 2);
        assertThat(Rig.state(waiting, "false").toString())
                .contains("CrashLoopBackOff")
                .contains("restarting in 3600 s");
        rig.pods.stop(id, Optional.empty());
        assertThat(rig.node.programs.runs("false")).isEqualTo(2);
        assertThat(((Terminated) Rig.state(rig.pods.status(id), "false")).reason())
                .isEqualTo("Stopped");
    }

    @Test
    void anExitCountsAlthoughAnEscapedProcessHoldsTheOutputOpen() throws Exception {
        rig.node.programs.put("parent", process -> process.println("started a child"));
        rig.node.machines.onBoot(guest -> {
            guest.keepOutputOpen();
            guest.answer();
        });
        var id = rig.run(pod("job").run("parent").build());
        var end = rig.awaitEnd(id);
        assertThat(end.phase()).isEqualTo(Phase.SUCCEEDED);
        assertThat(rig.log(id, "parent")).containsExactly("started a child");
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void stoppingAnEndedPodIsFine() throws Exception {
        var id = rig.run(pod("job").run(container("true")).build());
        rig.awaitEnd(id);
        rig.pods.stop(id, AT_ONCE);
        assertThat(rig.pods.status(id).phase()).isEqualTo(Phase.SUCCEEDED);
    }

    private static ImageConfig imageWithStopSignal(String signal) {
        return new ImageConfig(List.of(), List.of("true"), List.of(), "", "", signal, Map.of());
    }
}
