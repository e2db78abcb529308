package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static podvm.engine.fake.PodBuilder.pod;
import static podvm.engine.fake.SandboxBuilder.container;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.PodChange;
import podvm.engine.PodChanges;
import podvm.engine.PodId;
import podvm.engine.Progress;
import podvm.engine.SandboxContainer.State;

@Timeout(40)
final class PodHistoryTest {
    @TempDir Path directory;
    private SandboxRig rig;
    private NodePods pods;

    @BeforeEach
    void open() throws Exception {
        rig = new SandboxRig(directory);
        pods = openPods();
    }

    private NodePods openPods() throws Exception {
        return NodePods.of(PodTable.open(rig.node.ports(), Rig.SETTINGS, Rig.PATIENT), rig.table);
    }

    @AfterEach
    void close() {
        pods.close();
        rig.close();
    }

    private static PodChanges.Reader into(List<String> told, Function<PodChange, String> words) {
        return new PodChanges.Reader() {
            @Override
            public void change(PodChange change) {
                told.add(words.apply(change));
            }

            @Override
            public void lost(long count) {
                told.add("lost " + count);
            }
        };
    }

    private static String brief(PodChange change) {
        var container = change.container().map(name -> " " + name).orElse("");
        var code = change.exitCode() == 0 ? "" : " " + change.exitCode();
        return change.kind() + container + code;
    }

    private List<String> told(PodId pod) throws Exception {
        var told = new ArrayList<String>();
        pods.changes()
                .read(
                        false,
                        Optional.empty(),
                        into(told, change -> change.pod().id().equals(pod) ? brief(change) : ""));
        told.removeIf(String::isEmpty);
        return told;
    }

    private void awaitEnd(PodId pod) throws Exception {
        Rig.eventually(() -> pods.status(pod).phase().ended());
    }

    @Test
    void thePodsOfBothKindsTellTheirLives() throws Exception {
        var own = pods.run(pod("mine").run("false").build(), Progress.NONE);
        awaitEnd(own);
        pods.remove(own, false);
        assertThat(told(own))
                .containsExactly(
                        "CREATED",
                        "CREATED false",
                        "STARTED false",
                        "EXITED false 1",
                        "ENDED 1",
                        "REMOVED");
        var sandbox = rig.run("web");
        rig.await(rig.start(sandbox, "false"), State.EXITED);
        rig.start(sandbox, container("false").command("server").attempt(1).build());
        rig.table.stop(sandbox);
        rig.table.remove(sandbox);
        assertThat(told(sandbox.pod()))
                .startsWith("CREATED", "CREATED false", "STARTED false", "EXITED false 1")
                .containsSubsequence("STARTED false", "EXITED false 1", "STARTED false")
                .contains("EXITED false 137", "ENDED 137")
                .endsWith("REMOVED");
    }

    @Test
    void aRestartedContainerIsToldAttemptByAttempt() throws Exception {
        var id =
                pods.run(
                        pod("again")
                                .restart(podvm.engine.PodSpec.RestartPolicy.ALWAYS)
                                .run("false")
                                .build(),
                        Progress.NONE);
        Rig.eventually(() -> pods.status(id).containers().getFirst().restarts() >= 2);
        pods.stop(id, Optional.of(Duration.ZERO));
        var told = told(id);
        long started = told.stream().filter("STARTED false"::equals).count();
        assertThat(told.stream().filter(one -> one.startsWith("EXITED false")).count())
                .isBetween(2L, started + 1);
        assertThat(started).isGreaterThanOrEqualTo(2);
    }

    @Test
    void theNextDaemonTellsWhatItFoundAndThatItTookItUp() throws Exception {
        var sandbox = rig.run("web");
        rig.start(sandbox, "server");
        pods.close();
        rig.restart();
        pods = openPods();
        assertThat(told(sandbox.pod())).contains("CREATED", "STARTED server", "ADOPTED");
        assertThat(told(sandbox.pod())).endsWith("ADOPTED");
    }

    @Test
    void aSlowFollowerIsToldHowMuchItMissed() throws Exception {
        var history = new PodHistory(3);
        var sandbox = rig.run("web");
        var status = pods.status(sandbox.pod());
        history.removed(status);
        var reading = new CountDownLatch(1);
        var go = new CountDownLatch(1);
        var told = new CopyOnWriteArrayList<String>();
        var follower =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                history.read(true, Optional.empty(), slow(told, reading, go));
                            } catch (InterruptedException e) {
                                told.add("interrupted");
                            }
                        });
        reading.await();
        for (int i = 0; i < 10; i++) {
            history.removed(status);
        }
        go.countDown();
        Rig.eventually(() -> told.size() == 5);
        assertThat(told).containsExactly("REMOVED", "lost 7", "REMOVED", "REMOVED", "REMOVED");
        follower.interrupt();
        assertThat(follower.join(Duration.ofSeconds(20))).isTrue();
    }

    private static PodChanges.Reader slow(
            List<String> told, CountDownLatch reading, CountDownLatch go) {
        return new PodChanges.Reader() {
            @Override
            public void change(PodChange change) throws IOException {
                told.add(change.kind().toString());
                reading.countDown();
                try {
                    go.await();
                } catch (InterruptedException e) {
                    throw new IOException(e);
                }
            }

            @Override
            public void lost(long count) {
                told.add("lost " + count);
            }
        };
    }

    @Test
    void whatIsOlderThanAskedForIsLeftOut() throws Exception {
        var sandbox = rig.run("web");
        var after = Instant.now().plusSeconds(60);
        var told = new ArrayList<String>();
        pods.changes().read(false, Optional.of(after), into(told, PodHistoryTest::brief));
        assertThat(told).isEmpty();
        assertThat(told(sandbox.pod())).isNotEmpty();
    }

    @Test
    void podsOfBothKindsAreMeasured() throws Exception {
        var own = pods.run(pod("mine").run("server").build(), Progress.NONE);
        Rig.eventually(() -> !pods.usage().stats(List.of(own)).isEmpty());
        var sandbox = rig.run("web");
        var server = rig.start(sandbox, "server");
        rig.guest().meters.use(server, 1_000_000, 4096);
        var all = pods.usage().stats(List.of(own, sandbox.pod(), PodId.random()));
        assertThat(all.keySet()).containsExactly(own, sandbox.pod());
        var guest = all.get(sandbox.pod()).guest();
        assertThat(guest.containers()).hasSize(1);
        assertThat(guest.pod().cpu().usageMicros()).isEqualTo(1_000_000);
        assertThat(pods.usage().processes(sandbox.pod()))
                .extracting(process -> process.container())
                .containsExactly(server);
    }
}
