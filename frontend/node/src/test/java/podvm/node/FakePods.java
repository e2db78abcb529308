package podvm.node;

import static java.nio.charset.StandardCharsets.UTF_8;
import static podvm.engine.PodException.Kind.ALREADY_EXISTS;
import static podvm.engine.PodException.Kind.CONFLICT;
import static podvm.engine.PodException.Kind.INVALID;
import static podvm.engine.PodException.Kind.NOT_FOUND;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.Agent;
import podvm.engine.ContainerFiles;
import podvm.engine.ContainerSpec;
import podvm.engine.Deadline;
import podvm.engine.Images;
import podvm.engine.PodChanges;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.PodSpec;
import podvm.engine.PodStatus;
import podvm.engine.PodUsage;
import podvm.engine.Pods;
import podvm.engine.PortConnection;
import podvm.engine.Progress;
import podvm.engine.fake.EchoConnection;
import podvm.engine.fake.FakeFiles;

/** Pods in memory, without machines. */
public final class FakePods implements Pods {
    private final Map<PodId, FakePod> pods = new LinkedHashMap<>();
    private final FakeImages images = new FakeImages();
    private final FakeFiles files = new FakeFiles();

    /** Exec sessions that have not been closed. */
    private int openSessions;

    public synchronized int openSessions() {
        return openSessions;
    }

    private synchronized void count(int by) {
        openSessions += by;
    }

    @Override
    public synchronized PodId run(PodSpec spec, Progress pulls) throws PodException {
        for (var pod : pods.values()) {
            if (pod.spec.name().equals(spec.name()) && !pod.status().phase().ended()) {
                throw new PodException(
                        ALREADY_EXISTS,
                        "a pod named " + spec.name() + " runs already",
                        "stop it with podvm stop " + spec.name());
            }
        }
        for (ContainerSpec container : spec.containers()) {
            pulls.at("layer 3f1c9d of " + container.image(), 512, 1024);
            pulls.at("layer 3f1c9d of " + container.image(), 1024, 1024);
        }
        var pod = new FakePod(spec);
        pods.put(pod.id, pod);
        pod.start();
        return pod.id;
    }

    @Override
    public synchronized List<PodStatus> list() {
        return pods.values().stream().map(FakePod::status).toList();
    }

    @Override
    public synchronized PodId resolve(String reference) throws PodException {
        var found = new ArrayList<PodId>();
        for (var pod : pods.values()) {
            if (pod.spec.name().equals(reference)
                    || (pod.spec.namespace() + "/" + pod.spec.name()).equals(reference)
                    || (reference.length() >= 3 && pod.id.text().startsWith(reference))) {
                found.add(pod.id);
            }
        }
        if (found.isEmpty()) {
            throw new PodException(
                    NOT_FOUND, "no pod " + reference, "podvm ps -a shows those there are");
        }
        return found.getLast();
    }

    private synchronized FakePod pod(PodId id) throws PodException {
        var pod = pods.get(id);
        if (pod == null) {
            throw new PodException(NOT_FOUND, "no pod " + id, "");
        }
        return pod;
    }

    @Override
    public PodStatus status(PodId pod) throws PodException {
        return pod(pod).status();
    }

    @Override
    public PodStatus awaitChange(PodStatus seen, Deadline deadline)
            throws PodException, InterruptedException {
        return pod(seen.id()).awaitChange(seen, deadline);
    }

    @Override
    public void stop(PodId pod, Optional<Duration> grace)
            throws PodException, InterruptedException {
        pod(pod).stop(grace.isPresent() && grace.get().isZero() ? 137 : 143);
    }

    @Override
    public void remove(PodId pod, boolean kill) throws PodException, InterruptedException {
        var there = pod(pod);
        if (!there.status().phase().ended()) {
            if (!kill) {
                throw new PodException(CONFLICT, "pod " + pod + " runs", "use podvm rm -f");
            }
            there.stop(137);
        }
        synchronized (this) {
            pods.remove(pod);
        }
    }

    @Override
    public void logs(PodId pod, Optional<String> container, LogQuery query, LogReader reader)
            throws PodException, InterruptedException {
        pod(pod).logs(container, query, reader);
    }

    @Override
    public PortConnection connect(PodId pod, int port) throws PodException {
        var _ = pod(pod);
        return EchoConnection.open(port);
    }

    @Override
    public Agent.ExecSession exec(
            PodId pod, Optional<String> container, ExecSpec spec, Agent.ExecOutput output)
            throws PodException {
        if (spec.args().isEmpty()) {
            throw new PodException(INVALID, "no command to execute", "give one after --");
        }
        pod(pod).program(container.orElse(""));
        var program = new FakeProgram(spec.args(), output);
        var thread = Thread.ofVirtual().unstarted(program::run);
        count(1);
        if (spec.terminal()) {
            program.resize(spec.columns(), spec.rows());
        }
        thread.start();
        return new Agent.ExecSession() {
            @Override
            public void stdin(byte[] data) throws InterruptedException {
                program.stdin(data);
            }

            @Override
            public void closeStdin() {
                program.closeStdin();
            }

            @Override
            public void resize(int columns, int rows) {
                program.resize(columns, rows);
            }

            @Override
            public void signal(int signal) {
                program.stop(128 + signal);
            }

            @Override
            public Agent.ExecResult await() throws InterruptedException {
                var code = program.await();
                return new Agent.ExecResult(
                        code,
                        code == 127
                                ? Optional.of("no such program: " + spec.args().getFirst())
                                : Optional.empty());
            }

            @Override
            public void close() {
                program.stop(137);
                count(-1);
            }
        };
    }

    @Override
    public Attachment attach(PodId pod, Optional<String> container, Agent.ExecOutput output)
            throws PodException {
        var there = pod(pod);
        var program = there.program(container.orElse(""));
        var spec = there.container(container.orElse(there.spec.containers().getFirst().name()));
        there.join(output);
        return new Attachment() {
            @Override
            public String container() {
                return spec.name();
            }

            @Override
            public boolean terminal() {
                return spec.tty();
            }

            @Override
            public boolean hasStdin() {
                return spec.stdin();
            }

            @Override
            public void stdin(byte[] data) throws PodException, InterruptedException {
                if (!spec.stdin()) {
                    throw new PodException(CONFLICT, "it has no stdin", "");
                }
                program.stdin(data);
            }

            @Override
            public void closeStdin() {
                program.closeStdin();
            }

            @Override
            public void resize(int columns, int rows) {
                program.resize(columns, rows);
            }

            @Override
            public int await() throws InterruptedException {
                return program.await();
            }

            @Override
            public void close() {
                there.leave(output);
            }
        };
    }

    @Override
    public void console(PodId pod, boolean follow, TextSink sink) throws PodException {
        pod(pod);
        try {
            sink.text("Linux version 6.12\nagent: ready\n".getBytes(UTF_8));
        } catch (java.io.IOException _) {
            // as the port says: quietly
        }
    }

    /** Of all containers. */
    public FakeFiles files() {
        return files;
    }

    @Override
    public ContainerFiles files(PodId pod, Optional<String> container) throws PodException {
        pod(pod).program(container.orElse(""));
        return files;
    }

    @Override
    public PodUsage usage() {
        return new FakeUsage(this);
    }

    @Override
    public PodChanges changes() {
        return new FakeChanges(this);
    }

    @Override
    public Images images() {
        return images;
    }
}
