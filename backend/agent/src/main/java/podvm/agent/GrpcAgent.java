package podvm.agent;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import podvm.engine.Agent;
import podvm.engine.ContainerFiles;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.GuestPorts;
import podvm.engine.GuestResources;
import podvm.engine.GuestShares;
import podvm.engine.GuestSockets;
import podvm.engine.PodException;
import podvm.proto.agent.v1.AgentGrpc;
import podvm.proto.agent.v1.HelloRequest;
import podvm.proto.agent.v1.PrepareRequest;
import podvm.proto.agent.v1.RemoveContainerRequest;
import podvm.proto.agent.v1.ResizeTerminalRequest;
import podvm.proto.agent.v1.ShutdownRequest;
import podvm.proto.agent.v1.SignalContainerRequest;
import podvm.proto.agent.v1.StartContainerRequest;

/** One connection to one agent. */
final class GrpcAgent implements Agent {
    private static final Duration RESIZE = Duration.ofSeconds(10);

    private final Connection connection;
    private final SecureRandom random;
    private final Info info;

    private GrpcAgent(Connection connection, SecureRandom random, Info info) {
        this.connection = connection;
        this.random = random;
        this.info = info;
    }

    /** Takes over the connection, also when this fails. */
    static GrpcAgent greet(Connection connection, SecureRandom random, Deadline deadline)
            throws PodException, InterruptedException {
        var greeted = false;
        try {
            var agent = new GrpcAgent(connection, random, hello(connection, deadline));
            greeted = true;
            return agent;
        } finally {
            if (!greeted) {
                connection.close();
            }
        }
    }

    private static Info hello(Connection connection, Deadline deadline)
            throws PodException, InterruptedException {
        return Reports.info(
                connection.ask(
                        AgentGrpc.getHelloMethod(),
                        HelloRequest.getDefaultInstance(),
                        "greet the agent",
                        deadline));
    }

    @Override
    public Info info() {
        return info;
    }

    @Override
    public Info infoNow(Deadline deadline) throws PodException, InterruptedException {
        return hello(connection, deadline);
    }

    @Override
    public void prepare(Deadline deadline) throws PodException, InterruptedException {
        connection.ask(
                AgentGrpc.getPrepareMethod(),
                PrepareRequest.getDefaultInstance(),
                "prepare the guest for copies",
                deadline);
    }

    @Override
    public void configure(SandboxSetup setup, Deadline deadline)
            throws PodException, InterruptedException {
        connection.ask(
                AgentGrpc.getConfigureSandboxMethod(),
                Requests.configure(setup, random),
                "configure the sandbox",
                deadline);
    }

    @Override
    public void putVolume(String name, List<VolumeFile> files, Deadline deadline)
            throws PodException, InterruptedException {
        connection.ask(
                AgentGrpc.getPutVolumeMethod(),
                Requests.volume(name, files),
                "send volume " + name,
                deadline);
    }

    @Override
    public GuestShares shares() {
        return new GrpcShares(connection);
    }

    @Override
    public GuestResources resources() {
        return new GrpcResources(connection);
    }

    @Override
    public ContainerFiles files(ContainerId container) {
        return new GrpcFiles(connection, container);
    }

    @Override
    public GuestSockets sockets() {
        return new GrpcSockets(connection);
    }

    @Override
    public GuestPorts ports() {
        return new GrpcPorts(connection);
    }

    @Override
    public Optional<ResolvedUser> create(ContainerPlan plan, Deadline deadline)
            throws PodException, InterruptedException {
        var created =
                connection.ask(
                        AgentGrpc.getCreateContainerMethod(),
                        Requests.create(plan),
                        "create container " + plan.id().brief(),
                        deadline);
        var user = created.getUser();
        return created.hasUser()
                ? Optional.of(new ResolvedUser(user.getUid(), user.getGid(), user.getGidsList()))
                : Optional.empty();
    }

    @Override
    public Optional<StartFailure> start(ContainerId container, Deadline deadline)
            throws PodException, InterruptedException {
        var started =
                connection.ask(
                        AgentGrpc.getStartContainerMethod(),
                        StartContainerRequest.newBuilder().setId(container.text()).build(),
                        "start container " + container.brief(),
                        deadline);
        return started.hasError()
                ? Optional.of(Reports.startFailure(started.getError()))
                : Optional.empty();
    }

    @Override
    public void signal(ContainerId container, int signal, Deadline deadline)
            throws PodException, InterruptedException {
        var request = SignalContainerRequest.newBuilder().setId(container.text()).setSignal(signal);
        connection.ask(
                AgentGrpc.getSignalContainerMethod(),
                request.build(),
                "send signal " + signal + " to container " + container.brief(),
                deadline);
    }

    @Override
    public void remove(ContainerId container, Deadline deadline)
            throws PodException, InterruptedException {
        connection.ask(
                AgentGrpc.getRemoveContainerMethod(),
                RemoveContainerRequest.newBuilder().setId(container.text()).build(),
                "remove container " + container.brief(),
                deadline);
    }

    @Override
    public void readOutput(ContainerId container, OutputSink sink)
            throws PodException, InterruptedException {
        var what = "read the output of container " + container.brief();
        try (var call = connection.converse(AgentGrpc.getReadOutputMethod(), what)) {
            new OutputReader(call, connection.peer(), what, sink).read(container);
        }
    }

    @Override
    public InputWriter openInput(ContainerId container) throws PodException {
        var what = "write to container " + container.brief();
        return new ContainerInput(
                connection.converse(AgentGrpc.getWriteInputMethod(), what), container, what);
    }

    @Override
    public void resize(ContainerId container, int columns, int rows)
            throws PodException, InterruptedException {
        var request =
                ResizeTerminalRequest.newBuilder()
                        .setContainerId(container.text())
                        .setSize(Requests.size(columns, rows));
        connection.ask(
                AgentGrpc.getResizeTerminalMethod(),
                request.build(),
                "resize the terminal of container " + container.brief(),
                Deadline.after(RESIZE));
    }

    @Override
    public ExecSession exec(
            ContainerId container, ProcessPlan process, boolean stdin, ExecOutput output)
            throws PodException, InterruptedException {
        var what = "execute in container " + container.brief();
        return ExecCall.start(
                connection.converse(AgentGrpc.getExecMethod(), what),
                connection.peer(),
                what,
                Requests.exec(container, process, stdin),
                output);
    }

    @Override
    public void watch(Watcher watcher) throws PodException, InterruptedException {
        try (var call =
                connection.converse(AgentGrpc.getWatchContainersMethod(), "watch containers")) {
            new ContainerWatch(call, watcher).run();
        }
    }

    @Override
    public void shutdown(Deadline deadline) throws PodException, InterruptedException {
        try {
            connection.ask(
                    AgentGrpc.getShutdownMethod(),
                    ShutdownRequest.getDefaultInstance(),
                    "shut the guest down",
                    deadline);
        } catch (PodException e) {
            // the machine may be gone before its answer is through
            if (!connection.over()) {
                throw e;
            }
        }
    }

    @Override
    public void close() {
        connection.close();
    }
}
