package podvm.engine.fake;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import podvm.engine.Agent;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Agent.ExecSession;
import podvm.engine.Agent.ProcessPlan;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerId;
import podvm.engine.Digest;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Pods.Attachment;
import podvm.engine.Pods.ExecSpec;
import podvm.engine.PortConnection;
import podvm.engine.SandboxContainer;
import podvm.engine.SandboxEvent;
import podvm.engine.SandboxId;
import podvm.engine.SandboxSpec;
import podvm.engine.SandboxStatus;
import podvm.engine.Sandboxes;

/**
 * Pod sandboxes in memory, without machines. Containers run until they are stopped or {@link #exit}
 * ends them; what an exec runs is among {@link #programs}.
 */
public final class FakeSandboxes implements Sandboxes {
    private static final Agent.ResolvedUser ROOT = new Agent.ResolvedUser(0, 0, List.of(0, 10));
    public static final Digest IMAGE = new Digest("ab".repeat(32));

    public final FakePrograms programs = new FakePrograms();
    private final FakeSandboxResources resources = new FakeSandboxResources(this);
    private final Map<SandboxId, SandboxStatus> sandboxes = new LinkedHashMap<>();
    private final Map<ContainerId, SandboxContainer> containers = new LinkedHashMap<>();
    private final List<SandboxEvent.Listener> listeners = new CopyOnWriteArrayList<>();
    private final List<ContainerId> reopened = new ArrayList<>();
    private final Map<ContainerId, FakeAttachment> attachments = new LinkedHashMap<>();

    @Override
    public synchronized SandboxId run(SandboxSpec spec) throws PodException {
        for (var other : sandboxes.values()) {
            if (other.spec().metadata().equals(spec.metadata())) {
                throw new PodException(
                        Kind.ALREADY_EXISTS, "pod sandbox " + spec.metadata() + " is there", "");
            }
        }
        var id = SandboxId.random();
        sandboxes.put(
                id,
                new SandboxStatus(
                        id,
                        spec,
                        SandboxStatus.State.READY,
                        Instant.now(),
                        List.of("10.0.2.15"),
                        "",
                        ""));
        tell(SandboxEvent.Type.CREATED, id, Optional.empty());
        tell(SandboxEvent.Type.STARTED, id, Optional.empty());
        return id;
    }

    /** As if its machine had ended by itself. */
    public synchronized void die(SandboxId id, String reason) {
        var sandbox = sandboxes.get(id);
        if (sandbox == null || sandbox.state() == SandboxStatus.State.NOT_READY) {
            return;
        }
        sandboxes.put(
                id,
                new SandboxStatus(
                        id,
                        sandbox.spec(),
                        SandboxStatus.State.NOT_READY,
                        sandbox.created(),
                        sandbox.ips(),
                        reason,
                        ""));
        of(id).forEach(container -> exit(container.id(), 137));
        tell(SandboxEvent.Type.STOPPED, id, Optional.empty());
    }

    @Override
    public void stop(SandboxId id) {
        die(id, "Stopped");
    }

    @Override
    public synchronized void remove(SandboxId id) {
        if (sandboxes.containsKey(id)) {
            stop(id);
            of(id).forEach(container -> removeContainer(container.id()));
            tell(SandboxEvent.Type.DELETED, id, Optional.empty());
            sandboxes.remove(id);
        }
    }

    @Override
    public synchronized SandboxStatus status(SandboxId id) throws PodException {
        var status = sandboxes.get(id);
        if (status == null) {
            throw new PodException(Kind.NOT_FOUND, "no such pod sandbox: " + id, "");
        }
        return status;
    }

    @Override
    public synchronized List<SandboxStatus> list() {
        return List.copyOf(sandboxes.values());
    }

    private List<SandboxContainer> of(SandboxId id) {
        return containers.values().stream().filter(one -> one.sandbox().equals(id)).toList();
    }

    @Override
    public synchronized ContainerId createContainer(SandboxId sandbox, ContainerConfig config)
            throws PodException {
        if (status(sandbox).state() != SandboxStatus.State.READY) {
            throw new PodException(Kind.CONFLICT, "pod sandbox " + sandbox + " is not ready", "");
        }
        for (var other : of(sandbox)) {
            if (other.config().metadata().equals(config.metadata())) {
                throw new PodException(
                        Kind.ALREADY_EXISTS, "container " + config.metadata() + " is there", "");
            }
        }
        var id = ContainerId.randomLong();
        containers.put(
                id,
                new SandboxContainer(
                        id,
                        sandbox,
                        config,
                        IMAGE,
                        SandboxContainer.State.CREATED,
                        Instant.now(),
                        Optional.empty(),
                        Optional.empty(),
                        0,
                        "",
                        "",
                        Optional.of(ROOT)));
        tell(SandboxEvent.Type.CREATED, sandbox, Optional.of(id));
        return id;
    }

    @Override
    public synchronized void startContainer(ContainerId id) throws PodException {
        var old = container(id);
        if (old.state() != SandboxContainer.State.CREATED) {
            throw new PodException(Kind.CONFLICT, "container " + id + " was started", "");
        }
        containers.put(
                id,
                new SandboxContainer(
                        id,
                        old.sandbox(),
                        old.config(),
                        old.imageId(),
                        SandboxContainer.State.RUNNING,
                        old.created(),
                        Optional.of(Instant.now()),
                        Optional.empty(),
                        0,
                        "",
                        "",
                        old.user()));
        tell(SandboxEvent.Type.STARTED, old.sandbox(), Optional.of(id));
    }

    /** Limits a container as it is asked for, and no otherwise. */
    synchronized void limit(ContainerId id, ContainerConfig.Resources limits) throws PodException {
        var old = container(id);
        containers.put(
                id,
                new SandboxContainer(
                        id,
                        old.sandbox(),
                        old.config().with(limits),
                        old.imageId(),
                        old.state(),
                        old.created(),
                        old.started(),
                        old.finished(),
                        old.exitCode(),
                        old.reason(),
                        old.message(),
                        old.user()));
    }

    /** Ends a container, as if by itself. */
    public synchronized void exit(ContainerId id, int code) {
        var old = containers.get(id);
        if (old == null || old.state() == SandboxContainer.State.EXITED) {
            return;
        }
        containers.put(
                id,
                new SandboxContainer(
                        id,
                        old.sandbox(),
                        old.config(),
                        old.imageId(),
                        SandboxContainer.State.EXITED,
                        old.created(),
                        old.started(),
                        Optional.of(Instant.now()),
                        code,
                        code == 0 ? "Completed" : "Error",
                        "",
                        old.user()));
        tell(SandboxEvent.Type.STOPPED, old.sandbox(), Optional.of(id));
        notifyAll();
    }

    /** What a running container writes, to whoever is attached. */
    public void print(ContainerId id, byte[] data) {
        FakeAttachment attached;
        synchronized (this) {
            attached = attachments.get(id);
        }
        if (attached != null) {
            attached.output.stdout(data);
        }
    }

    @Override
    public void stopContainer(ContainerId id, Duration timeout) {
        exit(id, timeout.isZero() ? 137 : 143);
    }

    @Override
    public synchronized void removeContainer(ContainerId id) {
        var old = containers.get(id);
        if (old != null) {
            exit(id, 137);
            tell(SandboxEvent.Type.DELETED, old.sandbox(), Optional.of(id));
            containers.remove(id);
        }
    }

    @Override
    public synchronized SandboxContainer container(ContainerId id) throws PodException {
        var found = containers.get(id);
        if (found == null) {
            throw new PodException(Kind.NOT_FOUND, "no such container: " + id, "");
        }
        return found;
    }

    @Override
    public synchronized List<SandboxContainer> containers() {
        return List.copyOf(containers.values());
    }

    @Override
    public synchronized List<SandboxContainer> containers(SandboxId sandbox) {
        return of(sandbox);
    }

    private void running(ContainerId id) throws PodException {
        if (container(id).state() != SandboxContainer.State.RUNNING) {
            throw new PodException(Kind.CONFLICT, "container " + id + " is not running", "");
        }
    }

    @Override
    public synchronized void reopenLog(ContainerId id) throws PodException {
        running(id);
        reopened.add(id);
    }

    public synchronized List<ContainerId> reopened() {
        return List.copyOf(reopened);
    }

    @Override
    public synchronized ExecSession exec(ContainerId id, ExecSpec spec, ExecOutput output)
            throws PodException {
        running(id);
        var plan =
                new ProcessPlan(
                        spec.args(),
                        spec.env(),
                        spec.workingDir(),
                        spec.user(),
                        Optional.empty(),
                        List.of(),
                        false,
                        spec.terminal(),
                        spec.columns(),
                        spec.rows(),
                        0,
                        List.of());
        return new FakeExec(programs, plan, output);
    }

    @Override
    public synchronized Attachment attach(ContainerId id, ExecOutput output) throws PodException {
        running(id);
        var attachment = new FakeAttachment(id, container(id).config(), output);
        attachments.put(id, attachment);
        return attachment;
    }

    /** What clients that are attached have written into a container. */
    public synchronized List<byte[]> input(ContainerId id) {
        var attached = attachments.get(id);
        return attached == null ? List.of() : List.copyOf(attached.input);
    }

    @Override
    public FakeSandboxResources resources() {
        return resources;
    }

    @Override
    public PortConnection connect(SandboxId sandbox, int port) throws PodException {
        var _ = status(sandbox);
        return EchoConnection.open(port);
    }

    @Override
    public SandboxEvent.Subscription subscribe(SandboxEvent.Listener listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    private void tell(SandboxEvent.Type type, SandboxId id, Optional<ContainerId> container) {
        var sandbox = sandboxes.get(id);
        if (sandbox != null) {
            var event = new SandboxEvent(Instant.now(), type, container, sandbox, of(id));
            listeners.forEach(listener -> listener.on(event));
        }
    }

    private final class FakeAttachment implements Attachment {
        private final ContainerId id;
        private final ContainerConfig config;
        private final ExecOutput output;
        private final List<byte[]> input = new CopyOnWriteArrayList<>();

        private FakeAttachment(ContainerId id, ContainerConfig config, ExecOutput output) {
            this.id = id;
            this.config = config;
            this.output = output;
        }

        @Override
        public String container() {
            return config.metadata().name();
        }

        @Override
        public boolean terminal() {
            return config.tty();
        }

        @Override
        public boolean hasStdin() {
            return config.stdin();
        }

        @Override
        public void stdin(byte[] data) throws PodException {
            if (!hasStdin()) {
                throw new PodException(Kind.CONFLICT, "container " + id + " has no stdin", "");
            }
            input.add(data.clone());
        }

        @Override
        public void closeStdin() {
            if (config.stdinOnce()) {
                exit(id, 0);
            }
        }

        @Override
        public void resize(int columns, int rows) {}

        @Override
        public int await() throws PodException, InterruptedException {
            synchronized (FakeSandboxes.this) {
                while (FakeSandboxes.this.container(id).state() != SandboxContainer.State.EXITED) {
                    FakeSandboxes.this.wait();
                }
                return FakeSandboxes.this.container(id).exitCode();
            }
        }

        @Override
        public void close() {
            synchronized (FakeSandboxes.this) {
                attachments.remove(id, this);
            }
        }
    }
}
