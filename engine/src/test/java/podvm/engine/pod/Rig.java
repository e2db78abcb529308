package podvm.engine.pod;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.PodSpec;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState;
import podvm.engine.PodStatus.ContainerState.Running;
import podvm.engine.Pods.Follow;
import podvm.engine.Pods.LogQuery;
import podvm.engine.Progress;
import podvm.engine.fake.FakeGuest;
import podvm.engine.fake.FakeNode;
import podvm.engine.log.LogWriter;

/** A node of fakes with a pod table on it. */
final class Rig implements AutoCloseable {
    static final EngineSettings SETTINGS =
            new EngineSettings(
                    "node-1",
                    1000,
                    512,
                    128,
                    1L << 30,
                    Duration.ofSeconds(20),
                    Duration.ofMillis(5),
                    Duration.ofMillis(20),
                    new LogWriter.Limits(1 << 20, 5),
                    10);
    static final Patience PATIENT =
            new Patience(
                    Duration.ofMillis(200),
                    Duration.ofMillis(200),
                    Duration.ofMillis(500),
                    Duration.ofMillis(20));
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    final FakeNode node;
    final EngineSettings settings;
    NodePods pods;

    Rig(Path directory) throws Exception {
        this(directory, SETTINGS);
    }

    Rig(Path directory, EngineSettings settings) throws Exception {
        this.node = new FakeNode(directory);
        this.settings = settings;
        this.pods = open(node.ports(), settings, PATIENT);
    }

    /** Without pods of a kubelet. */
    static NodePods open(Ports ports, EngineSettings settings, Patience patience)
            throws PodException {
        return new NodePods(PodTable.open(ports, settings, patience), List::of);
    }

    PodId run(PodSpec spec) throws Exception {
        return pods.run(spec, Progress.NONE);
    }

    PodStatus await(PodId pod, Predicate<PodStatus> wanted) throws Exception {
        return await(pods, pod, wanted);
    }

    static PodStatus await(NodePods pods, PodId pod, Predicate<PodStatus> wanted) throws Exception {
        var deadline = Deadline.after(PATIENCE);
        var status = pods.status(pod);
        while (!wanted.test(status)) {
            status = pods.awaitChange(status, deadline);
        }
        return status;
    }

    PodStatus awaitEnd(PodId pod) throws Exception {
        return await(pod, status -> status.phase().ended());
    }

    PodStatus awaitRunning(PodId pod, String container) throws Exception {
        return await(pod, status -> state(status, container) instanceof Running);
    }

    static ContainerState state(PodStatus status, String container) {
        return of(status, container).state();
    }

    static PodStatus.ContainerStatus of(PodStatus status, String container) {
        return status.containers().stream()
                .filter(one -> one.name().equals(container))
                .findFirst()
                .orElseThrow();
    }

    FakeGuest guest() {
        return node.machines.booted().getLast();
    }

    List<String> log(PodId pod, String container) throws Exception {
        var lines = new CopyOnWriteArrayList<String>();
        pods.logs(
                pod,
                Optional.of(container),
                new LogQuery(Follow.NO, Optional.empty(), Optional.empty()),
                line -> lines.add(new String(line.text(), UTF_8)));
        return lines;
    }

    List<String> eventNames() {
        return node.events.stream().map(event -> event.name()).toList();
    }

    interface Condition {
        boolean holds() throws Exception;
    }

    /** For what nobody announces. */
    static void eventually(Condition condition) throws Exception {
        for (var deadline = Deadline.after(PATIENCE); !condition.holds(); ) {
            deadline.check("a condition of the test");
            TimeUnit.MILLISECONDS.sleep(2);
        }
    }

    @Override
    public void close() {
        pods.close();
    }
}
