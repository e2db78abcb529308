package podvm.node;

import static java.nio.charset.StandardCharsets.UTF_8;
import static podvm.engine.PodException.Kind.DEADLINE;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.Agent;
import podvm.engine.ContainerId;
import podvm.engine.ContainerSpec;
import podvm.engine.Deadline;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.PodSpec;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState;
import podvm.engine.PodStatus.ContainerStatus;
import podvm.engine.Pods.Follow;
import podvm.engine.Pods.LogLine;
import podvm.engine.Pods.LogQuery;
import podvm.engine.Pods.LogReader;

/** A pod whose containers are {@link FakeProgram}s; it ends when they all have. */
final class FakePod {
    final PodId id = PodId.random();
    final PodSpec spec;
    private final Instant created = Instant.now();
    private final Map<String, ContainerState> states = new HashMap<>();
    private final Map<String, FakeProgram> programs = new HashMap<>();
    private final Map<String, ContainerId> ids = new HashMap<>();
    private final List<LogLine> log = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final List<Agent.ExecOutput> joined = new ArrayList<>();
    private long version;

    FakePod(PodSpec spec) {
        this.spec = spec;
        for (var container : all()) {
            states.put(container.name(), new ContainerState.Waiting("PodInitializing", ""));
            ids.put(container.name(), ContainerId.random());
        }
    }

    private List<ContainerSpec> all() {
        var all = new ArrayList<>(spec.initContainers());
        all.addAll(spec.containers());
        return all;
    }

    void start() {
        threads.add(Thread.ofVirtual().name("fake-pod").start(this::run));
    }

    private void run() {
        for (var init : spec.initContainers()) {
            if (runContainer(init) != 0) {
                return;
            }
        }
        for (var container : spec.containers()) {
            threads.add(Thread.ofVirtual().start(() -> runContainer(container)));
        }
    }

    private int runContainer(ContainerSpec container) {
        var started = Instant.now();
        var program =
                new FakeProgram(
                        container.command().orElse(container.args().orElse(List.of("true"))),
                        new Agent.ExecOutput() {
                            @Override
                            public void stdout(byte[] data) {
                                output(container.name(), Agent.OutputStreamKind.STDOUT, data);
                            }

                            @Override
                            public void stderr(byte[] data) {
                                output(container.name(), Agent.OutputStreamKind.STDERR, data);
                            }
                        });
        synchronized (this) {
            programs.put(container.name(), program);
            change(container.name(), new ContainerState.Running(started));
        }
        var code = program.run();
        synchronized (this) {
            change(
                    container.name(),
                    new ContainerState.Terminated(
                            code,
                            0,
                            code == 0 ? "Completed" : "Error",
                            "",
                            started,
                            Instant.now()));
        }
        return code;
    }

    private synchronized void output(String container, Agent.OutputStreamKind stream, byte[] data) {
        for (var line : new String(data, UTF_8).lines().toList()) {
            log.add(new LogLine(container, stream, Instant.now(), line.getBytes(UTF_8), false));
        }
        for (var client : List.copyOf(joined)) {
            if (stream == Agent.OutputStreamKind.STDOUT) {
                client.stdout(data);
            } else {
                client.stderr(data);
            }
        }
        notifyAll();
    }

    private synchronized void change(String container, ContainerState state) {
        states.put(container, state);
        version++;
        notifyAll();
    }

    synchronized PodStatus status() {
        return new PodStatus(
                id,
                spec,
                phase(),
                "",
                "",
                "",
                created,
                phase().ended() ? Optional.of(Instant.now()) : Optional.empty(),
                List.of("10.0.2.15"),
                Optional.of(new MachineSize(1, 256)),
                Optional.of(3_000_000L),
                all().stream().map(this::containerStatus).toList(),
                List.of(
                        new PodStatus.Stage("accepted", created),
                        new PodStatus.Stage("version " + version, created)),
                Optional.empty());
    }

    private ContainerStatus containerStatus(ContainerSpec container) {
        return new ContainerStatus(
                container.name(),
                spec.initContainers().contains(container),
                container.image(),
                "sha256:" + "ab".repeat(32),
                Optional.of(ids.get(container.name())),
                states.get(container.name()),
                Optional.empty(),
                0);
    }

    private PodStatus.Phase phase() {
        var failedInit =
                spec.initContainers().stream()
                        .anyMatch(c ->
                                states.get(c.name()) instanceof ContainerState.Terminated t
                                        && t.exitCode() != 0);
        if (failedInit) {
            return PodStatus.Phase.FAILED;
        }
        var waiting = false;
        var running = false;
        var failed = false;
        for (var container : spec.containers()) {
            switch (states.get(container.name())) {
                case ContainerState.Waiting _ -> waiting = true;
                case ContainerState.Running _ -> running = true;
                case ContainerState.Terminated ended -> failed |= ended.exitCode() != 0;
            }
        }
        if (waiting) {
            return PodStatus.Phase.PENDING;
        }
        if (running) {
            return PodStatus.Phase.RUNNING;
        }
        return failed ? PodStatus.Phase.FAILED : PodStatus.Phase.SUCCEEDED;
    }

    synchronized PodStatus awaitChange(PodStatus seen, Deadline deadline)
            throws PodException, InterruptedException {
        while (status().timeline().equals(seen.timeline())) {
            if (deadline.passed()) {
                throw new PodException(DEADLINE, "nothing changed", "");
            }
            wait(Math.max(1, deadline.leftMillis()));
        }
        return status();
    }

    FakeProgram program(String container) throws PodException {
        var name = container.isEmpty() ? spec.containers().getFirst().name() : container;
        synchronized (this) {
            var program = programs.get(name);
            if (program == null) {
                throw new PodException(
                        PodException.Kind.NOT_FOUND, "no container " + name + " runs", "");
            }
            return program;
        }
    }

    synchronized ContainerSpec container(String name) {
        return all().stream().filter(c -> c.name().equals(name)).findFirst().orElseThrow();
    }

    synchronized void join(Agent.ExecOutput output) {
        joined.add(output);
    }

    synchronized void leave(Agent.ExecOutput output) {
        joined.remove(output);
    }

    void stop(int code) throws InterruptedException {
        while (!status().phase().ended()) {
            synchronized (this) {
                programs.values().forEach(program -> program.stop(code));
                wait(5);
            }
        }
    }

    void logs(Optional<String> container, LogQuery query, LogReader reader)
            throws InterruptedException {
        var next = 0;
        synchronized (this) {
            next = Math.max(0, log.size() - query.tail().orElse(log.size()));
        }
        try {
            while (true) {
                LogLine line;
                synchronized (this) {
                    while (next == log.size()
                            && query.follow() != Follow.NO
                            && !status().phase().ended()) {
                        wait();
                    }
                    if (next == log.size()) {
                        return;
                    }
                    line = log.get(next++);
                }
                var since = query.since().orElse(Instant.EPOCH);
                if (container.orElse(line.container()).equals(line.container())
                        && !line.time().isBefore(since)) {
                    reader.line(line);
                }
            }
        } catch (IOException _) {
            // as the port says: quietly
        }
    }
}
