package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static podvm.engine.fake.PodBuilder.container;
import static podvm.engine.fake.PodBuilder.pod;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.PodSpec.RestartPolicy;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState.Running;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.PodStatus.Phase;
import podvm.engine.fake.FakeAgent;

@Timeout(40)
final class PodLifeTest {
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
    void aPodWhoseContainersSucceedSucceedsAndLeavesNothing() throws Exception {
        var id = rig.run(pod("job").run("true").run("echo", "hello").build());
        var end = rig.awaitEnd(id);
        assertThat(end.phase()).isEqualTo(Phase.SUCCEEDED);
        assertThat(end.exitCode()).isZero();
        assertThat(end.finished()).isPresent();
        assertThat(rig.log(id, "echo")).containsExactly("hello");
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aPodFailsWithTheExitCodeOfItsFirstFailedContainer() throws Exception {
        rig.node.programs.put("three", _ -> 3).put("four", _ -> 4);
        var id = rig.run(pod("job").run("true").run("three").run("four").build());
        var end = rig.awaitEnd(id);
        assertThat(end.phase()).isEqualTo(Phase.FAILED);
        assertThat(end.exitCode()).isEqualTo(3);
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void initContainersRunOneAfterTheOtherBeforeTheOthers() throws Exception {
        var order = new java.util.concurrent.CopyOnWriteArrayList<String>();
        for (var name : List.of("first", "second", "app")) {
            rig.node.programs.put(
                    name,
                    _ -> {
                        order.add(name + " begins");
                        Thread.sleep(5);
                        order.add(name + " ends");
                        return 0;
                    });
        }
        rig.awaitEnd(rig.run(pod("job").init("first").init("second").run("app").build()));
        assertThat(order)
                .containsExactly(
                        "first begins",
                        "first ends",
                        "second begins",
                        "second ends",
                        "app begins",
                        "app ends");
    }

    @Test
    void theAgentIsMeasuredWhenTheFirstContainerRuns() throws Exception {
        var id = rig.run(pod("web").run("server").build());
        var measured = rig.await(id, status -> status.agentRssBytes().isPresent());
        assertThat(measured.agentRssBytes()).contains(FakeAgent.RSS_OF_A_RUNNING_POD);
        assertThat(Rig.state(measured, "server")).isInstanceOf(Running.class);
        rig.pods.stop(id, java.util.Optional.empty());
        assertThat(rig.pods.status(id).agentRssBytes()).isEqualTo(measured.agentRssBytes());
    }

    @Test
    void aFailedInitContainerFailsAPodThatNeverRestarts() throws Exception {
        var id = rig.run(pod("job").init("false").run("true").build());
        var end = rig.awaitEnd(id);
        assertThat(end.phase()).isEqualTo(Phase.FAILED);
        assertThat(end.reason()).isEqualTo("InitContainerFailed");
        assertThat(end.message()).contains("false").contains("exit code 1");
        assertThat(rig.node.programs.runs("true")).isZero();
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aFailedInitContainerIsRunAgainUnderOnFailure() throws Exception {
        rig.node.programs.put("flaky", failingTimes(2));
        var id =
                rig.run(
                        pod("job")
                                .restart(RestartPolicy.ON_FAILURE)
                                .init("flaky")
                                .run("true")
                                .build());
        var end = rig.awaitEnd(id);
        assertThat(end.phase()).isEqualTo(Phase.SUCCEEDED);
        assertThat(Rig.of(end, "flaky").restarts()).isEqualTo(2);
        assertThat(rig.node.programs.mostAtOnce("flaky")).isEqualTo(1);
    }

    @Test
    void onFailureRestartsUntilItSucceedsAndKeepsAllLogs() throws Exception {
        var run = new AtomicInteger();
        rig.node.programs.put(
                "flaky",
                process -> {
                    process.println("run " + run.get());
                    return run.getAndIncrement() < 3 ? 7 : 0;
                });
        var id = rig.run(pod("job").restart(RestartPolicy.ON_FAILURE).run("flaky").build());
        var end = rig.awaitEnd(id);
        assertThat(end.phase()).isEqualTo(Phase.SUCCEEDED);
        var container = Rig.of(end, "flaky");
        assertThat(container.restarts()).isEqualTo(3);
        assertThat(container.last().map(Terminated::exitCode)).contains(7);
        assertThat(rig.log(id, "flaky")).containsExactly("run 0", "run 1", "run 2", "run 3");
    }

    @Test
    void alwaysRestartsAlsoWhatSucceeded() throws Exception {
        var id = rig.run(pod("web").restart(RestartPolicy.ALWAYS).run("true").build());
        rig.await(id, status -> Rig.of(status, "true").restarts() >= 3);
        rig.pods.stop(id, java.util.Optional.empty());
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aCommandThatDoesNotExistIsAStartError() throws Exception {
        var id = rig.run(pod("job").run("nonsense").build());
        var end = rig.awaitEnd(id);
        assertThat(end.exitCode()).isEqualTo(127);
        var state = (Terminated) Rig.state(end, "nonsense");
        assertThat(state.reason()).isEqualTo("StartError");
        assertThat(state.message()).isEqualTo("nonsense: not found");
    }

    @Test
    void aCommandThatDoesNotExistIsTriedAgainUnderAlways() throws Exception {
        var id = rig.run(pod("web").restart(RestartPolicy.ALWAYS).run("nonsense").build());
        rig.await(id, status -> Rig.of(status, "nonsense").restarts() >= 2);
        rig.pods.remove(id, true);
        assertThat(rig.node.open()).isEmpty();
    }

    @Test
    void aMissingImageFailsThePodByName() throws Exception {
        var id = rig.run(pod("job").run(container("app", "nowhere", List.of())).build());
        PodStatus end = rig.awaitEnd(id);
        assertThat(end.reason()).isEqualTo("StartFailed");
        assertThat(end.message()).isEqualTo("no image nowhere; check its name");
        assertThat(end.exitCode()).isEqualTo(125);
        assertThat(rig.node.open()).isEmpty();
    }

    private static podvm.engine.fake.Program failingTimes(int times) {
        var left = new AtomicInteger(times);
        return _ -> left.getAndDecrement() > 0 ? 1 : 0;
    }
}
