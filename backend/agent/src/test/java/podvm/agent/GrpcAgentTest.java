package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import podvm.agent.FakeSerialPort.Trouble;
import podvm.engine.Agent;
import podvm.engine.Agent.ContainerPlan;
import podvm.engine.Agent.MountPlan;
import podvm.engine.Agent.MountSource;
import podvm.engine.Agent.ProcessPlan;
import podvm.engine.Agent.ResourceLimits;
import podvm.engine.Agent.SandboxSetup;
import podvm.engine.Agent.SecurityPlan;
import podvm.engine.Agent.StartFailure;
import podvm.engine.Agent.VolumeFile;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodNetwork;
import podvm.proto.agent.v1.ConfigureSandboxRequest;
import podvm.proto.agent.v1.ConfigureSandboxResponse;
import podvm.proto.agent.v1.CreateContainerRequest;
import podvm.proto.agent.v1.CreateContainerResponse;
import podvm.proto.agent.v1.PutVolumeRequest;
import podvm.proto.agent.v1.PutVolumeResponse;
import podvm.proto.agent.v1.Route;
import podvm.proto.agent.v1.SeccompMode;
import podvm.proto.agent.v1.ShutdownRequest;
import podvm.proto.agent.v1.ShutdownResponse;
import podvm.proto.agent.v1.SignalContainerRequest;
import podvm.proto.agent.v1.SignalContainerResponse;
import podvm.proto.agent.v1.StartContainerRequest;
import podvm.proto.agent.v1.StartContainerResponse;
import podvm.proto.agent.v1.StartError;

@Timeout(30)
class GrpcAgentTest {
    private final GrpcAgents agents = new GrpcAgents();
    private final ContainerId container = ContainerId.random();
    private final BlockingQueue<Object> requests = new LinkedBlockingQueue<>();
    private volatile Status signalStatus = Status.OK;
    private volatile StartContainerResponse started = StartContainerResponse.getDefaultInstance();
    private final CountDownLatch signalled = new CountDownLatch(1);
    @TempDir private Path directory;
    private FakeGuest guest;
    private Agent agent;

    @BeforeEach
    void connect() throws Exception {
        guest = new FakeGuest(directory, new Recording(), Trouble.none());
        agent = guest.connect(agents);
    }

    @AfterEach
    void close() throws Exception {
        agent.close();
        guest.close();
        agents.close();
    }

    @Test
    void theSandboxIsConfiguredWithClockAndRandomSeed() throws Exception {
        var route = new PodNetwork.Route("0.0.0.0/0", "10.0.2.2", 7, true, "10.0.2.15", 1300);
        var neighbor = new PodNetwork.Neighbor("10.0.2.2", "52:54:00:00:00:02");
        var eth0 =
                new PodNetwork.Interface(
                        "52:54:00:12:34:56",
                        "0a:00:00:00:00:01",
                        "eth0",
                        List.of("10.0.2.15/24"),
                        List.of(route),
                        List.of(neighbor),
                        1400);
        agent.configure(
                new SandboxSetup(
                        "web",
                        "svc.local",
                        "127.0.0.1 localhost\n",
                        "nameserver 10.0.0.10\n",
                        List.of(eth0),
                        Map.of("net.core.somaxconn", "1024"),
                        "scratch",
                        64 << 20),
                soon());
        var request = (ConfigureSandboxRequest) requests.take();
        assertThat(request.getHostname()).isEqualTo("web");
        assertThat(request.getDomainname()).isEqualTo("svc.local");
        assertThat(request.getHostsFile().toStringUtf8()).isEqualTo("127.0.0.1 localhost\n");
        assertThat(request.getResolvConfFile().toStringUtf8()).isEqualTo("nameserver 10.0.0.10\n");
        assertThat(request.getSysctlsMap()).containsEntry("net.core.somaxconn", "1024");
        assertThat(request.getScratchDiskSerial()).isEqualTo("scratch");
        assertThat(request.getShmSizeBytes()).isEqualTo(64 << 20);
        var wire = request.getInterfaces(0);
        assertThat(wire.getMtu()).isEqualTo(1400);
        assertThat(wire.getAddress()).isEqualTo("0a:00:00:00:00:01");
        assertThat(wire.getRoutes(0))
                .isEqualTo(
                        Route.newBuilder()
                                .setDestination("0.0.0.0/0")
                                .setGateway("10.0.2.2")
                                .setMetric(7)
                                .setOnLink(true)
                                .setSource("10.0.2.15")
                                .setMtu(1300)
                                .build());
        assertThat(wire.getNeighbors(0).getIp()).isEqualTo("10.0.2.2");
        assertThat(wire.getNeighbors(0).getMac()).isEqualTo("52:54:00:00:00:02");
        assertThat(request.getRandomSeed().size()).isEqualTo(64);
        assertThat(Instant.ofEpochSecond(0, request.getNowUnixNs()))
                .isBetween(Instant.now().minusSeconds(10), Instant.now());
    }

    @Test
    void aContainerIsMadeAsPlanned() throws Exception {
        var process =
                new ProcessPlan(
                        List.of("/bin/sh", "-c", "true"),
                        List.of("A=b"),
                        "/srv",
                        "1000:1000",
                        Optional.of(7),
                        List.of(8, 9),
                        true,
                        true,
                        80,
                        24,
                        -5,
                        List.of(new Agent.Rlimit("nofile", 1024, -1)));
        agent.create(
                new ContainerPlan(
                        container,
                        List.of("layer-a", "layer-b"),
                        true,
                        process,
                        List.of(
                                new MountPlan("/etc/c", new MountSource.Files("cm"), true, ""),
                                new MountPlan("/d", new MountSource.EmptyDir("data"), false, "s"),
                                new MountPlan("/t", new MountSource.Memory("t", 9), false, "")),
                        new ResourceLimits(
                                50_000,
                                100_000,
                                100,
                                1 << 30,
                                1 << 20,
                                64,
                                Map.of("2MB", 4L << 20, "64KB", 0L)),
                        new SecurityPlan(
                                true,
                                List.of("CAP_CHOWN"),
                                List.of("CAP_CHOWN"),
                                true,
                                new Agent.SystemCalls.Filtered(new byte[] {6, 0, 0, 0, 0, 0, 0, 0}),
                                Optional.of(
                                        new Agent.GuardedPaths(
                                                List.of("/proc/keys"), List.of("/proc/sys")))),
                        new Agent.Processes.Of(new ContainerId("other")),
                        true,
                        true,
                        Optional.empty()),
                soon());
        var request = (CreateContainerRequest) requests.take();
        assertThat(request.getId()).isEqualTo(container.text());
        assertThat(request.getRoot().getLayerSerialsList()).containsExactly("layer-a", "layer-b");
        assertThat(request.getRoot().getReadOnly()).isTrue();
        assertThat(request.getProcess().getArgsList()).containsExactly("/bin/sh", "-c", "true");
        assertThat(request.getProcess().getUser().getUser()).isEqualTo("1000:1000");
        assertThat(request.getProcess().getUser().getGid()).isEqualTo(7);
        assertThat(request.getProcess().getUser().getSupplementalGidsList()).containsExactly(8, 9);
        assertThat(request.getProcess().getTerminalSize().getColumns()).isEqualTo(80);
        assertThat(request.getProcess().getOomScoreAdj()).isEqualTo(-5);
        assertThat(request.getProcess().getUser().getStrictGroups()).isTrue();
        assertThat(request.getProcess().getRlimits(0).getName()).isEqualTo("nofile");
        assertThat(request.getProcess().getRlimits(0).getSoft()).isEqualTo(1024);
        assertThat(request.getProcess().getRlimits(0).getHard()).isEqualTo(-1);
        assertThat(request.getSecurity().getAmbientCapabilitiesList()).containsExactly("CAP_CHOWN");
        assertThat(request.getSecurity().getGuardedPaths().getMaskedList())
                .containsExactly("/proc/keys");
        assertThat(request.getSecurity().getGuardedPaths().getReadOnlyList())
                .containsExactly("/proc/sys");
        assertThat(request.getPidNamespace().getContainer()).isEqualTo("other");
        assertThat(request.getMounts(0).getVolume()).isEqualTo("cm");
        assertThat(request.getMounts(1).getEmptyDir()).isEqualTo("data");
        assertThat(request.getMounts(1).getSubPath()).isEqualTo("s");
        assertThat(request.getMounts(2).getTmpfs().getSizeBytes()).isEqualTo(9);
        assertThat(request.getResources().getMemoryMaxBytes()).isEqualTo(1 << 30);
        assertThat(request.getSecurity().getSeccomp()).isEqualTo(SeccompMode.SECCOMP_MODE_FILTER);
        assertThat(request.getStdinOnce()).isTrue();
    }

    @Test
    void aVolumeIsSentWithModesAndOwners() throws Exception {
        agent.putVolume("cm", List.of(new VolumeFile("a/b", new byte[] {1}, 0640, 3, 4)), soon());
        var file = ((PutVolumeRequest) requests.take()).getFiles(0);
        assertThat(file.getPath()).isEqualTo("a/b");
        assertThat(file.getMode()).isEqualTo(0640);
        assertThat(file.getUid()).isEqualTo(3);
        assertThat(file.getGid()).isEqualTo(4);
    }

    @Test
    void aVolumeLargerThanAMessageIsRefusedBeforeItIsSent() {
        var file = new VolumeFile("a", new byte[5 << 20], 0644, 0, 0);
        var e =
                catchThrowableOfType(
                        PodException.class, () -> agent.putVolume("big", List.of(file), soon()));
        assertThat(e.kind()).isEqualTo(Kind.EXHAUSTED);
        assertThat(e.describe()).contains("volume big", "4 MiB");
        assertThat(requests).isEmpty();
    }

    @Test
    void aProgramThatCannotBeExecutedIsNoError() throws Exception {
        assertThat(agent.start(container, soon())).isEmpty();
        var error = StartError.newBuilder().setExitCode(256 + 127).setMessage("no\tsuch file");
        started = StartContainerResponse.newBuilder().setError(error).build();
        assertThat(agent.start(container, soon())).hasValue(new StartFailure(127, "no?such file"));
    }

    @ParameterizedTest
    @CsvSource({
        "NOT_FOUND,NOT_FOUND",
        "INVALID_ARGUMENT,INVALID",
        "RESOURCE_EXHAUSTED,EXHAUSTED",
        "DEADLINE_EXCEEDED,DEADLINE",
        "UNIMPLEMENTED,UNSUPPORTED",
        "UNAVAILABLE,MACHINE",
        "CANCELLED,MACHINE",
        "INTERNAL,MACHINE",
        "UNKNOWN,MACHINE",
        "FAILED_PRECONDITION,CONFLICT",
        "ALREADY_EXISTS,ALREADY_EXISTS",
        "DATA_LOSS,CORRUPT"
    })
    void theAgentsErrorsKeepTheirKind(Status.Code code, Kind kind) {
        signalStatus = code.toStatus().withDescription("the\u001b[31m reason");
        var e = catchThrowableOfType(PodException.class, () -> agent.signal(container, 15, soon()));
        assertThat(e.kind()).isEqualTo(kind);
        assertThat(e.getMessage())
                .contains("signal 15", container.brief())
                .doesNotContain("\u001b");
    }

    @Test
    void aCallEndsAtItsDeadline() {
        signalStatus = null;
        var e =
                catchThrowableOfType(
                        PodException.class,
                        () -> agent.signal(container, 9, Deadline.after(Duration.ofMillis(200))));
        assertThat(e.kind()).isEqualTo(Kind.DEADLINE);
    }

    @Test
    void aPendingCallFailsWhenTheConnectionIsLost() throws Exception {
        signalStatus = null;
        Thread.ofVirtual()
                .start(() -> {
                    try {
                        signalled.await();
                        guest.port().breakConnection();
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                });
        var e = catchThrowableOfType(PodException.class, () -> agent.signal(container, 9, soon()));
        assertThat(e.kind()).isEqualTo(Kind.MACHINE);
        assertThat(e.getMessage()).contains("connection to the agent", "was lost");

        var next = catchThrowableOfType(PodException.class, () -> agent.start(container, soon()));
        assertThat(next.kind()).isEqualTo(Kind.MACHINE);
        assertThat(guest.port().connections()).isEqualTo(1);
    }

    @Test
    void everyCallFailsOnceTheAgentIsClosed() {
        agent.close();
        assertThat(catchThrowableOfType(PodException.class, () -> agent.remove(container, soon())))
                .extracting(PodException::kind)
                .isEqualTo(Kind.MACHINE);
        assertThat(catchThrowableOfType(PodException.class, () -> agent.openInput(container)))
                .extracting(PodException::kind)
                .isEqualTo(Kind.MACHINE);
    }

    @Test
    void anInterruptCancelsTheCall() throws Exception {
        signalStatus = null;
        var ended = new CountDownLatch(1);
        var caller =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                agent.signal(container, 9, soon());
                            } catch (InterruptedException e) {
                                ended.countDown();
                            } catch (PodException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        signalled.await();
        caller.interrupt();
        ended.await();
    }

    @Test
    void aShutdownWhoseAnswerIsLostWithTheMachineHasSucceeded() throws Exception {
        agent.shutdown(soon());
        assertThat(requests.take()).isInstanceOf(ShutdownRequest.class);
    }

    private static Deadline soon() {
        return Deadline.after(Duration.ofSeconds(10));
    }

    private final class Recording extends ScriptedAgent {
        @Override
        public void configureSandbox(
                ConfigureSandboxRequest request, StreamObserver<ConfigureSandboxResponse> answer) {
            requests.add(request);
            answer(answer, ConfigureSandboxResponse.getDefaultInstance());
        }

        @Override
        public void putVolume(PutVolumeRequest request, StreamObserver<PutVolumeResponse> answer) {
            requests.add(request);
            answer(answer, PutVolumeResponse.getDefaultInstance());
        }

        @Override
        public void createContainer(
                CreateContainerRequest request, StreamObserver<CreateContainerResponse> answer) {
            requests.add(request);
            answer(answer, CreateContainerResponse.getDefaultInstance());
        }

        @Override
        public void startContainer(
                StartContainerRequest request, StreamObserver<StartContainerResponse> answer) {
            answer(answer, started);
        }

        @Override
        public void signalContainer(
                SignalContainerRequest request, StreamObserver<SignalContainerResponse> answer) {
            signalled.countDown();
            if (signalStatus != null) {
                fail(answer, signalStatus);
            }
        }

        @Override
        public void shutdown(ShutdownRequest request, StreamObserver<ShutdownResponse> answer) {
            requests.add(request);
            try {
                guest.port().breakConnection();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
