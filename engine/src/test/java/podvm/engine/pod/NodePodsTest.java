package podvm.engine.pod;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static podvm.engine.fake.PodBuilder.pod;
import static podvm.engine.fake.SandboxBuilder.container;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState.Running;
import podvm.engine.PodStatus.Phase;
import podvm.engine.Pods.ExecSpec;
import podvm.engine.Pods.Follow;
import podvm.engine.Pods.LogQuery;
import podvm.engine.Progress;
import podvm.engine.SandboxContainer.State;

/** Pods of both kinds through one door. */
@Timeout(40)
final class NodePodsTest {
    private static final LogQuery ALL = new LogQuery(Follow.NO, Optional.empty(), Optional.empty());

    @TempDir Path directory;
    private SandboxRig rig;
    private NodePods pods;

    @BeforeEach
    void open() throws Exception {
        rig = new SandboxRig(directory);
        pods = NodePods.of(PodTable.open(rig.node.ports(), Rig.SETTINGS, Rig.PATIENT), rig.table);
    }

    @AfterEach
    void close() {
        pods.close();
        rig.close();
    }

    private List<String> log(PodId pod, Optional<String> name, LogQuery query) throws Exception {
        var lines = new CopyOnWriteArrayList<String>();
        pods.logs(pod, name, query, line -> lines.add(new String(line.text(), UTF_8)));
        return lines;
    }

    @Test
    void bothKindsAreListedAndFoundByNameAndId() throws Exception {
        var own = pods.run(pod("mine").run("server").build(), Progress.NONE);
        var sandbox = rig.run("web");
        assertThat(pods.list()).extracting(PodStatus::id).containsExactly(own, sandbox.pod());
        assertThat(pods.status(own).sandbox()).isEmpty();
        assertThat(pods.status(sandbox.pod()).sandbox()).contains(sandbox);
        for (var reference :
                List.of("web", "default/web", sandbox.text(), sandbox.text().substring(0, 12))) {
            assertThat(pods.resolve(reference)).as(reference).isEqualTo(sandbox.pod());
        }
        assertThatThrownBy(() -> pods.resolve("kube-system/web")).hasMessageContaining("no such");
    }

    @Test
    void ofTwoWithOneNameBothAreNamed() throws Exception {
        var own = pods.run(pod("web").run("server").build(), Progress.NONE);
        var sandbox = rig.run("web");
        assertThatThrownBy(() -> pods.resolve("default/web"))
                .isInstanceOfSatisfying(
                        PodException.class,
                        e ->
                                assertThat(e.remedy())
                                        .contains(
                                                "default/web (" + own.brief() + ")",
                                                sandbox.pod().brief() + ", kubelet's"));
        rig.table.stop(sandbox);
        assertThat(pods.resolve("web")).isEqualTo(own);
    }

    @Test
    void aContainerOfAKubeletsPodIsItsNewestAttempt() throws Exception {
        var sandbox = rig.run("web");
        var first = rig.start(sandbox, container("false").build());
        rig.await(first, State.EXITED);
        var second = rig.start(sandbox, container("false").command("server").attempt(1).build());
        var status = pods.status(sandbox.pod());
        assertThat(status.phase()).isEqualTo(Phase.RUNNING);
        assertThat(status.containers()).hasSize(1);
        var container = status.containers().getFirst();
        assertThat(container.name()).isEqualTo("false");
        assertThat(container.id()).contains(second);
        assertThat(container.state()).isInstanceOf(Running.class);
        assertThat(container.last().orElseThrow().exitCode()).isEqualTo(1);
        assertThat(container.restarts()).isEqualTo(1);
    }

    @Test
    void whatAKubeletDecidesAboutIsNotStoppedHere() throws Exception {
        var sandbox = rig.run("web");
        assertThatThrownBy(() -> pods.stop(sandbox.pod(), Optional.empty()))
                .isInstanceOfSatisfying(
                        PodException.class,
                        e -> {
                            assertThat(e.kind()).isEqualTo(Kind.CONFLICT);
                            assertThat(e.remedy())
                                    .contains("kubectl delete pod -n default web", "crictl stopp");
                        });
        assertThatThrownBy(() -> pods.remove(sandbox.pod(), true))
                .hasMessageContaining("kubelet's");
        assertThat(pods.status(sandbox.pod()).phase().ended()).isFalse();
    }

    @Test
    void aProcessRunsInTheContainerThatRuns() throws Exception {
        var sandbox = rig.run("web");
        rig.await(rig.start(sandbox, "true"), State.EXITED);
        var spec = new ExecSpec(List.of("echo", "hi"), List.of(), "", "", false, false, 0, 0);
        assertThatThrownBy(() -> pods.exec(sandbox.pod(), Optional.empty(), spec, new Output()))
                .hasMessageContaining("no container of pod web is running");
        rig.start(sandbox, "server");
        var output = new Output();
        try (var session = pods.exec(sandbox.pod(), Optional.empty(), spec, output)) {
            assertThat(session.await().exitCode()).isZero();
        }
        assertThat(output.text()).isEqualTo("hi\n");
        assertThatThrownBy(() -> pods.exec(sandbox.pod(), Optional.of("nix"), spec, output))
                .isInstanceOfSatisfying(
                        PodException.class,
                        e -> assertThat(e.remedy()).isEqualTo("it has true, server"));
    }

    @Test
    void whoIsAttachedHearsTheContainerAndItsEnd() throws Exception {
        var sandbox = rig.run("web");
        var server = rig.start(sandbox, "server");
        try (var attached = pods.attach(sandbox.pod(), Optional.empty(), new Output())) {
            assertThat(attached.container()).isEqualTo("server");
            rig.table.stopContainer(server, Duration.ZERO);
            assertThat(attached.await()).isEqualTo(137);
        }
    }

    @Test
    void whoWaitsLearnsHowAKubeletsPodEnded() throws Exception {
        var sandbox = rig.run("web");
        var one = rig.start(sandbox, "false");
        rig.await(one, State.EXITED);
        var end = new CompletableFuture<PodStatus>();
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        var deadline = Deadline.after(Duration.ofSeconds(20));
                        var seen = pods.status(sandbox.pod());
                        while (!seen.phase().ended()) {
                            seen = pods.awaitChange(seen, deadline);
                        }
                        end.complete(seen);
                    } catch (PodException | InterruptedException e) {
                        end.completeExceptionally(e);
                    }
                });
        rig.table.stop(sandbox);
        assertThat(end.get().phase()).isEqualTo(Phase.FAILED);
        assertThat(end.get().exitCode()).isEqualTo(1);
    }

    @Test
    void theLogOfAKubeletsPodIsFollowedThroughRotationsAndRestarts() throws Exception {
        var go = new CountDownLatch(1);
        rig.node.programs.put(
                "talk",
                process -> {
                    process.println("one");
                    go.await();
                    process.println("two");
                    return 0;
                });
        var sandbox = rig.run("web");
        var log = directory.resolve("logs/talk/0.log");
        var talk = rig.start(sandbox, container("talk").log(log).build());
        Rig.eventually(() -> Files.exists(log) && Files.size(log) > 0);
        var lines = new CopyOnWriteArrayList<String>();
        var follower =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                pods.logs(
                                        sandbox.pod(),
                                        Optional.empty(),
                                        new LogQuery(
                                                Follow.YES, Optional.empty(), Optional.empty()),
                                        line -> lines.add(new String(line.text(), UTF_8)));
                            } catch (PodException | InterruptedException e) {
                                lines.add(e.toString());
                            }
                        });
        Rig.eventually(() -> lines.contains("one"));
        Files.move(log, directory.resolve("logs/talk/0.log.20260102-030405"));
        rig.table.reopenLog(talk);
        go.countDown();
        Rig.eventually(() -> lines.contains("two"));
        var again = directory.resolve("logs/talk/1.log");
        rig.start(
                sandbox, container("talk").command("echo", "three").attempt(1).log(again).build());
        Rig.eventually(() -> lines.contains("three"));
        rig.table.stop(sandbox);
        assertThat(follower.join(Duration.ofSeconds(20))).isTrue();
        assertThat(lines).containsExactly("one", "two", "three");
        assertThat(log(sandbox.pod(), Optional.of("talk"), ALL))
                .containsExactly("one", "two", "three");
        var newest = new LogQuery(Follow.NO, Optional.empty(), Optional.of(1));
        assertThat(log(sandbox.pod(), Optional.empty(), newest)).containsExactly("three");
    }

    @Test
    void theConsoleOfAKubeletsPodIsShown() throws Exception {
        var sandbox = rig.run("web");
        Files.writeString(
                rig.node.machines.find(sandbox.pod()).orElseThrow().consoleLog(), "agent: ready");
        var text = new StringBuffer();
        pods.console(sandbox.pod(), false, bytes -> text.append(new String(bytes, UTF_8)));
        assertThat(text.toString()).contains("agent: ready");
    }

    private static final class Output implements ExecOutput {
        private final StringBuffer text = new StringBuffer();

        @Override
        public void stdout(byte[] data) {
            text.append(new String(data, UTF_8));
        }

        @Override
        public void stderr(byte[] data) {
            text.append(new String(data, UTF_8));
        }

        String text() {
            return text.toString();
        }
    }
}
