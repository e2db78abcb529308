package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static podvm.engine.fake.PodBuilder.pod;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import podvm.engine.PodSpec.RestartPolicy;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState.Running;
import podvm.engine.PodStatus.Phase;
import podvm.engine.Pods.Follow;
import podvm.engine.Pods.LogQuery;
import podvm.engine.Progress;
import podvm.engine.fake.FakeNode;
import podvm.engine.fake.FragileAgents;

@Timeout(40)
final class ConnectionLossTest {
    @TempDir Path directory;

    private static NodePods open(FakeNode node, FragileAgents agents) throws Exception {
        var ports = node.ports();
        return Rig.open(
                new Ports(
                        ports.images(),
                        ports.machines(),
                        agents,
                        ports.networks(),
                        ports.volumes(),
                        ports.shares(),
                        ports.journals(),
                        ports.sandboxJournals(),
                        ports.events(),
                        new PodHistory()),
                Rig.SETTINGS,
                Rig.PATIENT);
    }

    @ParameterizedTest
    @EnumSource(
            value = RestartPolicy.class,
            names = {"NEVER", "ON_FAILURE"})
    void wheneverAnAnswerIsLostNothingRunsTwiceAndNoOutputIsLost(RestartPolicy policy)
            throws Exception {
        for (int step = 1; ; step++) {
            var node =
                    new FakeNode(
                            java.nio.file.Files.createDirectories(directory.resolve("" + step)));
            var tries = new AtomicInteger();
            node.programs
                    .put("prepare", process -> process.println("prepared"))
                    .put(
                            "work",
                            process -> {
                                process.println("try " + tries.get());
                                return policy == RestartPolicy.NEVER || tries.getAndIncrement() == 2
                                        ? 0
                                        : 1;
                            });
            var agents = new FragileAgents(node, step);
            try (var pods = open(node, agents)) {
                var id =
                        pods.run(
                                pod("job").restart(policy).init("prepare").run("work").build(),
                                Progress.NONE);
                PodStatus end = Rig.await(pods, id, now -> now.phase().ended());
                assertThat(end.phase())
                        .as(agents.broken() + end.message())
                        .isEqualTo(Phase.SUCCEEDED);
                var lines = new java.util.ArrayList<String>();
                pods.logs(
                        id,
                        Optional.empty(),
                        new LogQuery(Follow.NO, Optional.empty(), Optional.empty()),
                        line -> lines.add(new String(line.text())));
                var expected =
                        policy == RestartPolicy.NEVER
                                ? List.of("prepared", "try 0")
                                : List.of("prepared", "try 0", "try 1", "try 2");
                assertThat(lines).as(agents.broken()).isEqualTo(expected);
                assertThat(node.programs.runs("prepare")).as(agents.broken()).isEqualTo(1);
                assertThat(node.programs.mostAtOnce("work")).isEqualTo(1);
                assertThat(node.open()).as(agents.broken()).isEmpty();
            }
            if (agents.broken().isEmpty()) {
                assertThat(step).isGreaterThan(8);
                return;
            }
        }
    }

    @Test
    void aStopSignalWhoseAnswerIsLostIsSentAgain() throws Exception {
        for (int step = 5; step <= 6; step++) {
            var node =
                    new FakeNode(
                            java.nio.file.Files.createDirectories(directory.resolve("" + step)));
            var agents = new FragileAgents(node, step);
            try (var pods = open(node, agents)) {
                var id = pods.run(pod("web").run("server").build(), Progress.NONE);
                Rig.await(pods, id, now -> Rig.state(now, "server") instanceof Running);
                pods.stop(id, Optional.empty());
                assertThat(agents.broken()).contains("signal");
                assertThat(pods.status(id).phase()).isEqualTo(Phase.SUCCEEDED);
            }
            assertThat(node.open()).isEmpty();
        }
    }
}
