package podvm.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.StreamObserver;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Finding;
import podvm.engine.PodException;
import podvm.engine.fake.EchoConnection;
import podvm.proto.node.v1.*;

@Timeout(30)
class NodeServerTest {
    private final FakePods pods = new FakePods();
    private final EventLoopGroup loop =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private Path socket;
    private NodeServer server;
    private ManagedChannel channel;
    private NodeGrpc.NodeBlockingStub node;

    @BeforeEach
    void start(@TempDir Path directory) throws Exception {
        socket = directory.resolve("run/node.sock");
        server = NodeServer.start(socket, service());
        channel =
                NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                        .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
                        .eventLoopGroup(loop)
                        .usePlaintext()
                        .overrideAuthority("localhost")
                        .build();
        node = NodeGrpc.newBlockingStub(channel);
    }

    private NodeService service() {
        return new NodeService(
                pods,
                () -> VersionResponse.newBuilder().setVersion("1").setPid(7).build(),
                () ->
                        List.of(
                                new Finding(
                                        "qemu", Finding.State.MISSING, "", "not found", "get it")));
    }

    @AfterEach
    void stop() {
        channel.shutdownNow();
        server.close();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }

    private static RunPodsRequest manifest(String name, String command) {
        var text =
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: %s}
                spec:
                  containers:
                  - {name: c, image: i, stdin: true, command: [%s]}
                """
                        .formatted(name, command);
        return RunPodsRequest.newBuilder()
                .setManifest(ByteString.copyFromUtf8(text))
                .setSource("pod.yaml")
                .build();
    }

    private List<RunPodsEvent> run(String name, String command) {
        var events = new ArrayList<RunPodsEvent>();
        node.runPods(manifest(name, command)).forEachRemaining(events::add);
        return events;
    }

    @Test
    void onlyItsOwnerCanOpenTheSocket() throws Exception {
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)))
                .isEqualTo("rw-------");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(socket.getParent())))
                .isEqualTo("rwx------");
    }

    @Test
    void aSecondServerIsRefusedAndAStaleSocketReplaced() throws Exception {
        var refusal =
                catchThrowableOfType(PodException.class, () -> NodeServer.start(socket, service()));
        assertThat(refusal.kind()).isEqualTo(PodException.Kind.CONFLICT);
        var stale = socket.resolveSibling("stale.sock");
        try (var listener =
                java.nio.channels.ServerSocketChannel.open(java.net.StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(stale));
        }
        assertThat(stale).exists();
        try (var again = NodeServer.start(stale, service())) {
            assertThat(again.activity().openCalls()).isZero();
        }
        assertThat(stale).doesNotExist();
    }

    @Test
    void aFileInTheSocketsPlaceIsLeftAlone() throws Exception {
        var file = Files.writeString(socket.resolveSibling("file"), "mine");
        assertThat(
                        catchThrowableOfType(
                                        PodException.class, () -> NodeServer.start(file, service()))
                                .kind())
                .isEqualTo(PodException.Kind.INVALID);
        assertThat(file).hasContent("mine");
    }

    @Test
    void aDirectoryThatOthersMayUseIsRefused() throws Exception {
        var open = Files.createDirectory(socket.resolveSibling("open"));
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(
                        catchThrowableOfType(
                                        PodException.class,
                                        () -> NodeServer.start(open.resolve("s"), service()))
                                .remedy())
                .startsWith("run chmod 700 ");
    }

    @Test
    void runningAPodTellsItsCreationAndThatItRuns() {
        var events = run("p", "sleep");
        assertThat(events).anyMatch(RunPodsEvent::hasProgress);
        var created = events.stream().filter(RunPodsEvent::hasCreated).findFirst().orElseThrow();
        assertThat(created.getCreated().getName()).isEqualTo("p");
        assertThat(events.getLast().getPod().getPhase()).isEqualTo("Running");
        var listed = node.listPods(ListPodsRequest.getDefaultInstance());
        assertThat(listed.getPodsList()).hasSize(1);
        assertThat(node.getPod(GetPodRequest.newBuilder().setPod("p").build()).getId())
                .isEqualTo(created.getCreated().getId());
    }

    @Test
    void aManifestsProblemsComeInTheTrailer() throws Exception {
        var failure =
                catchThrowableOfType(StatusRuntimeException.class, () -> run("P", "echo").size());
        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.INVALID_ARGUMENT);
        var error =
                podvm.proto.node.v1.Error.parseFrom(failure.getTrailers().get(Failures.TRAILER));
        assertThat(error.getKind()).isEqualTo("INVALID");
        assertThat(error.getProblemsList())
                .extracting(Problem::getLine, Problem::getField)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(3, "metadata.name"));
    }

    @Test
    void whenOnePodCannotStartNoneIsLeft() {
        run("b", "sleep");
        var both =
                manifest("a", "sleep").getManifest().toStringUtf8()
                        + "---\n"
                        + manifest("b", "sleep").getManifest().toStringUtf8();
        var request =
                RunPodsRequest.newBuilder().setManifest(ByteString.copyFromUtf8(both)).build();
        var failure =
                catchThrowableOfType(
                        StatusRuntimeException.class,
                        () -> node.runPods(request).forEachRemaining(_ -> {}));
        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.ALREADY_EXISTS);
        assertThat(node.listPods(ListPodsRequest.newBuilder().setAll(true).build()).getPodsList())
                .extracting(Pod::getName)
                .containsExactly("b");
    }

    @Test
    void logsComeToASlowReaderWholeAndInOrder() {
        run("p", "lines, \"20000\"");
        var lines = node.logs(LogsRequest.newBuilder().setPod("p").setFollow(true).build());
        var count = 0;
        while (lines.hasNext()) {
            count++;
            assertThat(lines.next().getText().toStringUtf8()).isEqualTo("line " + count);
        }
        assertThat(count).isEqualTo(20_000);
    }

    @Test
    void waitingAnswersWithTheExitCode() {
        run("p", "exit, \"3\"");
        var pod = node.waitPod(WaitPodRequest.newBuilder().setPod("p").build());
        assertThat(pod.getExitCode()).isEqualTo(3);
        assertThat(pod.getPhase()).isEqualTo("Failed");
    }

    @Test
    void stoppingAndRemovingGoByName() {
        run("p", "sleep");
        var remove = RemovePodRequest.newBuilder().setPod("p").build();
        var failure =
                catchThrowableOfType(StatusRuntimeException.class, () -> node.removePod(remove));
        assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
        node.stopPod(StopPodRequest.newBuilder().setPod("p").build());
        node.removePod(remove);
        assertThat(node.listPods(ListPodsRequest.newBuilder().setAll(true).build()).getPodsList())
                .isEmpty();
    }

    @Test
    void execPassesInputOutputAndTheExitCode() throws Exception {
        run("p", "sleep");
        var client = new Client<ExecResponse>();
        var in = NodeGrpc.newStub(channel).exec(client);
        in.onNext(start("cat"));
        for (var i = 0; i < 50; i++) {
            in.onNext(ExecRequest.newBuilder().setStdin(ByteString.copyFromUtf8("hi")).build());
        }
        in.onNext(ExecRequest.newBuilder().setCloseStdin(true).build());
        var text = new StringBuilder();
        var answer = client.take();
        for (; answer.hasStdout(); answer = client.take()) {
            text.append(answer.getStdout().toStringUtf8());
        }
        assertThat(text.toString()).isEqualTo("hi".repeat(50));
        assertThat(answer.getExit().getExitCode()).isZero();
        in.onCompleted();
        awaitQuiet();
    }

    @Test
    void aClientThatLeavesEndsItsExec() throws Exception {
        run("p", "sleep");
        var client = new Client<ExecResponse>();
        var in = NodeGrpc.newStub(channel).exec(client);
        in.onNext(start("sleep"));
        while (pods.openSessions() == 0) {
            Thread.sleep(5);
        }
        assertThat(server.activity().idle()).isEqualTo(Duration.ZERO);
        in.onError(new RuntimeException("gone"));
        awaitQuiet();
        assertThat(server.activity().idle()).isPositive();
    }

    private void awaitQuiet() throws InterruptedException {
        while (pods.openSessions() > 0 || server.activity().openCalls() > 0) {
            Thread.sleep(5);
        }
    }

    private static ExecRequest start(String... args) {
        return ExecRequest.newBuilder()
                .setStart(
                        ExecStart.newBuilder().setPod("p").addAllArgs(List.of(args)).setStdin(true))
                .build();
    }

    @Test
    void aConnectionToAPortPassesBytesAndBothEnds() throws Exception {
        run("p", "sleep");
        var client = new Client<ConnectResponse>();
        var in = NodeGrpc.newStub(channel).connect(client);
        var start = ConnectStart.newBuilder().setPod("p").setPort(EchoConnection.PORT);
        in.onNext(ConnectRequest.newBuilder().setStart(start).build());
        assertThat(client.take().getConnected()).isTrue();
        in.onNext(ConnectRequest.newBuilder().setData(ByteString.copyFromUtf8("hi")).build());
        assertThat(client.take().getData().toStringUtf8()).isEqualTo("hi");
        in.onCompleted();
        assertThat(client.take().getEnd()).isTrue();
        awaitQuiet();
    }

    @Test
    void attachSaysFirstWhatItHasJoined() throws Exception {
        run("p", "cat");
        var client = new Client<AttachResponse>();
        var in = NodeGrpc.newStub(channel).attach(client);
        in.onNext(
                AttachRequest.newBuilder()
                        .setStart(AttachStart.newBuilder().setPod("p").setStdin(true))
                        .build());
        assertThat(client.take().getAttached().getContainer()).isEqualTo("c");
        in.onNext(AttachRequest.newBuilder().setStdin(ByteString.copyFromUtf8("x")).build());
        assertThat(client.take().getStdout().toStringUtf8()).isEqualTo("x");
        in.onCompleted();
        assertThat(client.take().getExitCode()).isZero();
    }

    @Test
    void imagesArePulledListedAndLoaded() throws Exception {
        var events = new ArrayList<ImageEvent>();
        node.pullImage(PullImageRequest.newBuilder().setReference("nginx").build())
                .forEachRemaining(events::add);
        assertThat(events.getLast().getImage().getNamesList()).containsExactly("nginx");
        var client = new Client<LoadImageResponse>();
        var in = NodeGrpc.newStub(channel).loadImage(client);
        in.onNext(
                LoadImageRequest.newBuilder()
                        .setStart(LoadImageStart.newBuilder().setName("mine"))
                        .build());
        for (var i = 0; i < 100; i++) {
            in.onNext(
                    LoadImageRequest.newBuilder()
                            .setData(ByteString.copyFrom(new byte[10_000]))
                            .build());
        }
        in.onCompleted();
        assertThat(client.take().getImages(0).getDiskBytes()).isEqualTo(1_000_000);
        assertThat(node.listImages(ListImagesRequest.getDefaultInstance()).getImagesList())
                .hasSize(2);
    }

    @Test
    void factsAndFindingsAreTold() {
        assertThat(node.version(VersionRequest.getDefaultInstance()).getPid()).isEqualTo(7);
        var finding = node.doctor(DoctorRequest.getDefaultInstance()).getFindings(0);
        assertThat(finding.getState()).isEqualTo(podvm.proto.node.v1.Finding.State.MISSING);
    }

    /** Answers in a queue. */
    private static final class Client<T> implements StreamObserver<T> {
        private final LinkedBlockingQueue<T> answers = new LinkedBlockingQueue<>();

        T take() throws InterruptedException {
            return answers.take();
        }

        @Override
        public void onNext(T answer) {
            answers.add(answer);
        }

        @Override
        public void onError(Throwable failure) {}

        @Override
        public void onCompleted() {}
    }
}
