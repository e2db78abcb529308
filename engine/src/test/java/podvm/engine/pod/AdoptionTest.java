package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static podvm.engine.fake.PodBuilder.container;
import static podvm.engine.fake.PodBuilder.pod;
import static podvm.engine.fake.PodBuilder.withMounts;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Agent;
import podvm.engine.Agent.VolumeFile;
import podvm.engine.ContainerId;
import podvm.engine.ContainerSpec.MountSpec;
import podvm.engine.Deadline;
import podvm.engine.MachineEnd;
import podvm.engine.PodId;
import podvm.engine.PodRecord;
import podvm.engine.PodSpec;
import podvm.engine.PodSpec.RestartPolicy;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState.Running;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.PodStatus.ContainerState.Waiting;
import podvm.engine.PodStatus.Phase;
import podvm.engine.Pods.Follow;
import podvm.engine.Progress;
import podvm.engine.VolumeSpec;
import podvm.engine.fake.FakeNode;
import podvm.engine.fake.MortalDaemon;

@Timeout(60)
final class AdoptionTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** Waits for the guest's word longer than any test does. */
    private static final Patience NEVER_IMPATIENT =
            new Patience(
                    Rig.PATIENT.drain(),
                    Rig.PATIENT.kill(),
                    Duration.ofHours(1),
                    Rig.PATIENT.retry());

    @TempDir Path directory;

    @BeforeAll
    static void theDeadDieSilently() {
        var usual = Thread.getDefaultUncaughtExceptionHandler();
        Thread.setDefaultUncaughtExceptionHandler((thread, thrown) -> {
            if (thrown instanceof MortalDaemon.Killed) {
                return;
            }
            if (usual != null) {
                usual.uncaughtException(thread, thrown);
            } else {
                thrown.printStackTrace();
            }
        });
    }

    @AfterAll
    static void othersDieLoudly() {
        Thread.setDefaultUncaughtExceptionHandler(null);
    }

    private static NodePods open(FakeNode node) throws Exception {
        return Rig.open(node.ports(), Rig.SETTINGS, Rig.PATIENT);
    }

    /** Init container, two containers, a volume: something of each kind. */
    private static PodSpec job(RestartPolicy policy) {
        return pod("job")
                .restart(policy)
                .volume(
                        "config",
                        new VolumeSpec.Files(
                                List.of(new VolumeFile("key", new byte[] {1}, 0644, 0, 0))))
                .init("prepare")
                .run(withMounts(container("work"), new MountSpec("config", "/etc/x", true, "")))
                .run("talk")
                .build();
    }

    private static FakeNode node(Path directory) {
        var node = new FakeNode(directory);
        node.programs
                .put("prepare", process -> process.println("prepared"))
                .put(
                        "work",
                        process -> {
                            process.println("begin");
                            Thread.sleep(1);
                            return process.println("end");
                        })
                .put(
                        "talk",
                        process -> {
                            for (int i = 0; i < 20; i++) {
                                process.print("line " + i + (i % 3 == 0 ? " " : "\n"));
                            }
                            return 0;
                        });
        return node;
    }

    /** Runs a pod on a daemon that dies at a step; the next daemon brings it to its end. */
    private boolean survivesDeathAt(int step, RestartPolicy policy) throws Exception {
        var node = node(directory.resolve(policy + "-" + step));
        var daemon = new MortalDaemon(node, step);
        Optional<PodId> accepted = Optional.empty();
        try {
            var pods = Rig.open(daemon.ports(), Rig.SETTINGS, Rig.PATIENT);
            var id = pods.run(job(policy), Progress.NONE);
            accepted = Optional.of(id);
            Rig.eventually(() -> daemon.dead() || pods.status(id).phase().ended());
        } catch (MortalDaemon.Killed e) {
            // in the middle of run: nobody was promised a pod
        }
        boolean died = daemon.dead();
        daemon.awaitStillness();
        try (var next = open(node)) {
            for (var status : next.list()) {
                var end = Rig.await(next, status.id(), now -> now.phase().ended());
                assertThat(node.open()).as(daemon.lastCall()).isEmpty();
                check(node, next, end, policy, daemon.lastCall());
            }
            if (accepted.isPresent()) {
                assertThat(next.list()).hasSize(1);
            }
            assertThat(node.open()).as(daemon.lastCall()).isEmpty();
        }
        return died;
    }

    private static void check(
            FakeNode node, NodePods pods, PodStatus end, RestartPolicy policy, String death)
            throws Exception {
        for (var name : List.of("prepare", "work", "talk")) {
            assertThat(node.programs.mostAtOnce(name)).as(name + " " + death).isLessThan(2);
            if (policy == RestartPolicy.NEVER) {
                assertThat(node.programs.runs(name)).as(name + " " + death).isLessThan(2);
            }
            assertThat(Rig.state(end, name)).as(name + " " + death).isNotInstanceOf(Running.class);
        }
        assertThat(end.phase()).as(death + ": " + end.message()).isEqualTo(Phase.SUCCEEDED);
        if (policy == RestartPolicy.NEVER) {
            assertThat(log(pods, end.id(), "prepare")).as(death).containsExactly("prepared");
            assertThat(log(pods, end.id(), "work")).as(death).containsExactly("begin", "end");
            assertThat(log(pods, end.id(), "talk")).as(death).isEqualTo(talk());
        }
    }

    private static List<String> talk() {
        var text = new StringBuilder();
        for (int i = 0; i < 20; i++) {
            text.append("line ").append(i).append(i % 3 == 0 ? " " : "\n");
        }
        return text.toString().lines().toList();
    }

    private static List<String> log(NodePods pods, PodId pod, String container) throws Exception {
        var lines = new java.util.ArrayList<String>();
        pods.logs(
                pod,
                Optional.of(container),
                new podvm.engine.Pods.LogQuery(Follow.NO, Optional.empty(), Optional.empty()),
                line -> lines.add(new String(line.text())));
        return lines;
    }

    @Test
    void wheneverTheDaemonDiesNothingIsLostLeakedOrRunTwice() throws Exception {
        int step = 1;
        while (survivesDeathAt(step, RestartPolicy.NEVER)) {
            step++;
        }
        assertThat(step).isGreaterThan(100);
    }

    @Test
    void wheneverTheDaemonDiesAPodThatMayRestartEndsProperly() throws Exception {
        int step = 1;
        while (survivesDeathAt(step, RestartPolicy.ON_FAILURE)) {
            step += 7;
        }
    }

    @Test
    void aClosedTableLeavesItsPodsRunningForTheNext() throws Exception {
        var node = node(directory);
        PodId id;
        try (var first = open(node)) {
            id = first.run(pod("web").run("server").build(), Progress.NONE);
            Rig.await(first, id, now -> Rig.state(now, "server") instanceof Running);
        }
        assertThat(node.programs.runningNow("server")).isEqualTo(1);
        assertThat(node.machines.booted().getLast().connections()).isZero();
        try (var second = open(node)) {
            Rig.await(
                    second,
                    id,
                    now -> now.timeline().stream().anyMatch(at -> at.name().equals("adopted")));
            second.stop(id, Optional.empty());
            assertThat(second.status(id).phase()).isEqualTo(Phase.SUCCEEDED);
        }
        assertThat(node.programs.runs("server")).isEqualTo(1);
        assertThat(node.open()).isEmpty();
    }

    @Test
    void aTableClosedAtAnyMomentLosesNothing() throws Exception {
        for (int i = 0; i < 40; i++) {
            var node = node(directory.resolve("close-" + i));
            PodId id;
            try (var first = open(node)) {
                id = first.run(job(RestartPolicy.NEVER), Progress.NONE);
                Thread.sleep(Duration.ofNanos(i * 150_000L));
            }
            try (var second = open(node)) {
                var end = Rig.await(second, id, now -> now.phase().ended());
                check(node, second, end, RestartPolicy.NEVER, "closed after " + i);
                assertThat(end.phase()).as(end.message()).isEqualTo(Phase.SUCCEEDED);
                assertThat(node.open()).isEmpty();
            }
        }
    }

    @Test
    void aClosedTableTakesNoPods() throws Exception {
        var node = node(directory);
        var pods = open(node);
        pods.close();
        org.assertj.core.api.Assertions.assertThatThrownBy(
                        () -> pods.run(job(RestartPolicy.NEVER), Progress.NONE))
                .hasMessageContaining("the daemon is ending");
        assertThat(node.journals.readAll()).isEmpty();
    }

    @Test
    void whatAContainerWritesWithoutADaemonIsInItsLogAfterwards() throws Exception {
        var node = node(directory);
        var go = new Semaphore(0);
        node.programs.put(
                "writer",
                process -> {
                    process.println("before");
                    go.acquire();
                    process.println("without");
                    go.acquire();
                    return process.println("after");
                });
        var id = Optional.<PodId>empty();
        try (var first = open(node)) {
            id = Optional.of(first.run(pod("web").run("writer").build(), Progress.NONE));
            var pod = id.get();
            Rig.eventually(() -> log(first, pod, "writer").equals(List.of("before")));
        }
        go.release();
        try (var second = open(node)) {
            var pod = id.get();
            Rig.eventually(() -> log(second, pod, "writer").size() == 2);
            go.release();
            Rig.await(second, pod, now -> now.phase().ended());
            assertThat(log(second, pod, "writer")).containsExactly("before", "without", "after");
        }
    }

    @Test
    void aContainerThatTheGuestHasNotIsMadeAnewAsSoonAsTheGuestHasToldOfAll() throws Exception {
        var node = node(directory);
        var id = leftUnclear(node);
        try (var agent = connect(node, id)) {
            agent.remove(attempt(node, id), Deadline.after(PATIENCE));
        }
        try (var second = Rig.open(node.ports(), Rig.SETTINGS, NEVER_IMPATIENT)) {
            Rig.await(second, id, now -> Rig.state(now, "server") instanceof Running);
            second.stop(id, Optional.empty());
        }
        assertThat(node.programs.runs("server")).isEqualTo(2);
    }

    @Test
    void aContainerThatRunsInTheGuestGoesOnWhateverTheJournalSays() throws Exception {
        var node = node(directory);
        var id = leftUnclear(node);
        try (var second = Rig.open(node.ports(), Rig.SETTINGS, NEVER_IMPATIENT)) {
            Rig.await(second, id, now -> Rig.state(now, "server") instanceof Running);
            second.stop(id, Optional.empty());
        }
        assertThat(node.programs.runs("server")).isEqualTo(1);
    }

    /** The call that starts it came from the daemon before, and has not ended. */
    @Test
    void aContainerIsNotMadeAnewWhileTheGuestMayStillStartIt() throws Exception {
        var node = node(directory);
        var id = leftUnclear(node);
        var guest = node.machines.booted().getLast();
        var plan = guest.plans().getFirst();
        try (var agent = connect(node, id)) {
            agent.remove(plan.id(), Deadline.after(PATIENCE));
            agent.create(plan, Deadline.after(PATIENCE));
            guest.tellPresent(false);
            try (var second = Rig.open(node.ports(), Rig.SETTINGS, NEVER_IMPATIENT)) {
                Rig.eventually(() -> guest.connections() == 2);
                agent.start(plan.id(), Deadline.after(PATIENCE));
                guest.tellPresent(true);
                Rig.await(second, id, now -> Rig.state(now, "server") instanceof Running);
                assertThat(attempt(node, id)).isEqualTo(plan.id());
                second.stop(id, Optional.empty());
            }
        }
        assertThat(node.programs.runs("server")).isEqualTo(2);
    }

    @Test
    void anAgentThatNeverSaysThatItHasToldOfAllIsBelievedAfterAWhile() throws Exception {
        var node = node(directory);
        var id = leftUnclear(node);
        try (var agent = connect(node, id)) {
            agent.remove(attempt(node, id), Deadline.after(PATIENCE));
        }
        node.machines.booted().getLast().tellPresent(false);
        try (var second = open(node)) {
            Rig.await(second, id, now -> Rig.state(now, "server") instanceof Running);
            second.stop(id, Optional.empty());
        }
        assertThat(node.programs.runs("server")).isEqualTo(2);
    }

    /**
     * A pod whose container runs, left by a daemon that had journalled the attempt and died before
     * it could write more.
     */
    private static PodId leftUnclear(FakeNode node) throws Exception {
        PodId id;
        try (var first = open(node)) {
            id = first.run(pod("web").run("server").build(), Progress.NONE);
            Rig.await(first, id, now -> Rig.state(now, "server") instanceof Running);
        }
        var record = node.journals.find(id).orElseThrow();
        var was = record.status();
        var server = was.containers().getFirst();
        var unclear =
                new PodStatus.ContainerStatus(
                        server.name(),
                        server.init(),
                        server.image(),
                        server.imageId(),
                        server.id(),
                        new Waiting("PodInitializing", ""),
                        server.last(),
                        server.restarts());
        var status =
                new PodStatus(
                        was.id(),
                        was.spec(),
                        Phase.PENDING,
                        was.reason(),
                        was.message(),
                        was.console(),
                        was.created(),
                        was.finished(),
                        was.ips(),
                        was.size(),
                        was.agentRssBytes(),
                        List.of(unclear),
                        was.timeline(),
                        was.sandbox());
        node.journals.write(
                new PodRecord(record.stage(), status, record.images(), record.stopBy()));
        return id;
    }

    private static Agent connect(FakeNode node, PodId id) throws Exception {
        var guest = node.machines.find(id).orElseThrow().guest();
        return node.agents.connect(guest, Deadline.after(PATIENCE));
    }

    private static ContainerId attempt(FakeNode node, PodId id) {
        var status = node.journals.find(id).orElseThrow().status();
        return status.containers().getFirst().id().orElseThrow();
    }

    @Test
    void aMachineThatEndedWithoutADaemonIsReported() throws Exception {
        var node = node(directory);
        PodId id;
        try (var first = open(node)) {
            id = first.run(pod("web").run("server").build(), Progress.NONE);
            Rig.await(first, id, now -> Rig.state(now, "server") instanceof Running);
        }
        node.machines
                .booted()
                .getLast()
                .end(new MachineEnd(MachineEnd.Reason.VMM_KILLED, "killed", ""));
        try (var second = open(node)) {
            var end = Rig.await(second, id, now -> now.phase().ended());
            assertThat(end.reason()).isEqualTo("VmmKilled");
            assertThat(end.message()).contains("no daemon ran");
            assertThat(((Terminated) Rig.state(end, "server")).reason()).isEqualTo("MachineEnded");
        }
        assertThat(node.programs.runs("server")).isEqualTo(1);
        assertThat(node.open()).isEmpty();
    }

    @Test
    void aStopThatComesDuringAdoptionIsGraceful() throws Exception {
        var node = node(directory);
        PodId id;
        try (var first = open(node)) {
            id = first.run(pod("web").run("server").build(), Progress.NONE);
            Rig.await(first, id, now -> Rig.state(now, "server") instanceof Running);
        }
        node.machines.booted().getLast().fallSilent();
        try (var second = open(node)) {
            var stop =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    second.stop(id, Optional.empty());
                                } catch (Exception e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            Thread.sleep(20);
            node.machines.booted().getLast().answer();
            stop.join();
            assertThat(second.status(id).phase()).isEqualTo(Phase.SUCCEEDED);
        }
        assertThat(node.open()).isEmpty();
    }

    @Test
    void aMachineThatNoJournalKnowsIsRemoved() throws Exception {
        var node = node(directory);
        node.machines.haveStray(PodId.random());
        try (var pods = open(node)) {
            assertThat(pods.list()).isEmpty();
        }
        assertThat(node.open()).isEmpty();
        assertThat(node.events).anyMatch(event -> event.name().equals("Removed"));
    }
}
