package podvm.cri;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.type;

import io.grpc.ManagedChannel;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.net.InetAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.cri.streaming.StreamServer;
import podvm.engine.ContainerId;
import podvm.engine.ImageConfig;
import podvm.engine.Networks;
import podvm.engine.fake.FakeImages;
import podvm.engine.fake.FakeSandboxes;
import podvm.proto.cri.v1.*;

/** The services over a real socket, on sandboxes in memory. */
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class CriServerTest {
    @TempDir Path directory;

    private final FakeSandboxes sandboxes = new FakeSandboxes();
    private final FakeImages images = new FakeImages();
    private final List<String> notes = new ArrayList<>();
    private Networks.Readiness network = Networks.Readiness.READY;
    private StreamServer streams;
    private CriServer server;
    private EventLoopGroup loop;
    private ManagedChannel channel;
    private RuntimeServiceGrpc.RuntimeServiceBlockingStub runtime;
    private ImageServiceGrpc.ImageServiceBlockingStub store;

    @BeforeEach
    void start() throws Exception {
        streams =
                StreamServer.start(
                        InetAddress.getLoopbackAddress(),
                        0,
                        new podvm.cri.streaming.StreamTls.Plain(),
                        _ -> {});
        var socket = directory.resolve("podvm.sock");
        var node = new NodeInfo("1.2.3", Path.of("/images"), () -> network, () -> "{}");
        server =
                CriServer.start(
                        socket, Optional.empty(), sandboxes, images, streams, node, notes::add);
        loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        channel =
                NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                        .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
                        .eventLoopGroup(loop)
                        .withOption(io.netty.channel.ChannelOption.SO_KEEPALIVE, null)
                        .maxInboundMessageSize(16 << 20)
                        .usePlaintext()
                        .build();
        runtime = RuntimeServiceGrpc.newBlockingStub(channel);
        store = ImageServiceGrpc.newBlockingStub(channel);
    }

    @AfterEach
    void close() {
        channel.shutdownNow();
        server.close();
        streams.close();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }

    private String sandbox(String name) {
        var request = RunPodSandboxRequest.newBuilder();
        request.getConfigBuilder()
                .putLabels("app", name)
                .setLogDirectory("/var/log/pods/" + name)
                .getMetadataBuilder()
                .setName(name)
                .setUid("uid-" + name)
                .setNamespace("default");
        return runtime.runPodSandbox(request.build()).getPodSandboxId();
    }

    private String container(String sandbox) {
        var request = CreateContainerRequest.newBuilder().setPodSandboxId(sandbox);
        request.getConfigBuilder().setLogPath("main/0.log").getMetadataBuilder().setName("main");
        request.getConfigBuilder().getImageBuilder().setImage("image");
        return runtime.createContainer(request.build()).getContainerId();
    }

    private String running(String sandbox) {
        var id = container(sandbox);
        runtime.startContainer(StartContainerRequest.newBuilder().setContainerId(id).build());
        return id;
    }

    private static void fails(Code code, ThrowingCallable call) {
        assertThatThrownBy(call)
                .asInstanceOf(type(StatusRuntimeException.class))
                .extracting(failure -> failure.getStatus().getCode())
                .isEqualTo(code);
    }

    @Test
    void theSocketIsItsOwnersAlone() throws Exception {
        assertThat(
                        PosixFilePermissions.toString(
                                Files.getPosixFilePermissions(directory.resolve("podvm.sock"))))
                .isEqualTo("rw-------");
    }

    @Test
    void theNetworksTroubleIsTold() {
        network = new Networks.Readiness(false, "NoNetwork", "no configuration there");

        var status = runtime.status(StatusRequest.newBuilder().setVerbose(true).build());

        assertThat(status.getStatus().getConditionsList())
                .extracting(RuntimeCondition::getType, RuntimeCondition::getStatus)
                .contains(
                        org.assertj.core.groups.Tuple.tuple("RuntimeReady", true),
                        org.assertj.core.groups.Tuple.tuple("NetworkReady", false));
        assertThat(status.getRuntimeHandlersList())
                .extracting(RuntimeHandler::getName)
                .containsExactly("", "podvm");
        assertThat(status.getInfoMap()).containsKey("config");
    }

    @Test
    void aPodIsFoundByIdLabelAndState() {
        var web = sandbox("web");
        sandbox("db");
        runtime.stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(web).build());
        var byLabel = ListPodSandboxRequest.newBuilder();
        byLabel.getFilterBuilder().putLabelSelector("app", "web");
        var byState = ListPodSandboxRequest.newBuilder();
        byState.getFilterBuilder().getStateBuilder().setState(PodSandboxState.SANDBOX_READY);
        var byId = ListPodSandboxRequest.newBuilder();
        byId.getFilterBuilder().setId(web.substring(0, 12));

        assertThat(names(byLabel)).containsExactly("web");
        assertThat(names(byState)).containsExactly("db");
        assertThat(names(byId)).containsExactly("web");
        assertThat(names(ListPodSandboxRequest.newBuilder())).containsExactly("web", "db");
    }

    private List<String> names(ListPodSandboxRequest.Builder request) {
        return runtime.listPodSandbox(request.build()).getItemsList().stream()
                .map(item -> item.getMetadata().getName())
                .toList();
    }

    @Test
    void stoppingAndRemovingWhatIsGoneSucceeds() {
        var gone = "f".repeat(64);

        runtime.stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(gone).build());
        runtime.removePodSandbox(
                RemovePodSandboxRequest.newBuilder().setPodSandboxId(gone).build());
        runtime.stopContainer(StopContainerRequest.newBuilder().setContainerId(gone).build());
        runtime.removeContainer(RemoveContainerRequest.newBuilder().setContainerId(gone).build());
        var image = RemoveImageRequest.newBuilder();
        image.getImageBuilder().setImage("nothing");
        store.removeImage(image.build());

        fails(
                Code.NOT_FOUND,
                () ->
                        runtime.podSandboxStatus(
                                PodSandboxStatusRequest.newBuilder()
                                        .setPodSandboxId(gone)
                                        .build()));
        fails(
                Code.NOT_FOUND,
                () ->
                        runtime.startContainer(
                                StartContainerRequest.newBuilder().setContainerId(gone).build()));
    }

    @Test
    void anEmptyIdIsNobodys() {
        sandbox("web");

        fails(
                Code.INVALID_ARGUMENT,
                () -> runtime.removePodSandbox(RemovePodSandboxRequest.getDefaultInstance()));
        fails(
                Code.INVALID_ARGUMENT,
                () -> runtime.removeContainer(RemoveContainerRequest.getDefaultInstance()));
    }

    @Test
    void aContainersStatusTellsItsWholeLife() {
        var pod = sandbox("web");
        var id = running(pod);
        sandboxes.exit(new ContainerId(id), 3);

        var status =
                runtime.containerStatus(
                                ContainerStatusRequest.newBuilder().setContainerId(id).build())
                        .getStatus();

        assertThat(status.getState()).isEqualTo(ContainerState.CONTAINER_EXITED);
        assertThat(status.getExitCode()).isEqualTo(3);
        assertThat(status.getReason()).isEqualTo("Error");
        assertThat(status.getLogPath()).isEqualTo("/var/log/pods/web/main/0.log");
        assertThat(status.getFinishedAt()).isGreaterThanOrEqualTo(status.getStartedAt());
        assertThat(status.getStartedAt()).isGreaterThan(1_600_000_000L * 1_000_000_000);
        assertThat(status.getImageId()).isEqualTo(FakeSandboxes.IMAGE.toString());
        assertThat(status.getUser().getLinux().getSupplementalGroupsList())
                .containsExactly(0L, 10L);
    }

    @Test
    void aStreamedListIsTheList() {
        for (int i = 0; i < 20; i++) {
            sandbox("pod-" + i);
        }
        var all = new ArrayList<String>();
        runtime.streamPodSandboxes(StreamPodSandboxesRequest.getDefaultInstance())
                .forEachRemaining(piece ->
                        piece.getPodSandboxesList().forEach(item -> all.add(item.getId())));

        assertThat(all)
                .isEqualTo(
                        runtime
                                .listPodSandbox(ListPodSandboxRequest.getDefaultInstance())
                                .getItemsList()
                                .stream()
                                .map(PodSandbox::getId)
                                .toList());
    }

    @Test
    void aCommandThatTakesTooLongIsKilled() {
        var id = running(sandbox("web"));

        fails(
                Code.DEADLINE_EXCEEDED,
                () ->
                        runtime.execSync(
                                ExecSyncRequest.newBuilder()
                                        .setContainerId(id)
                                        .addCmd("deaf")
                                        .setTimeout(1)
                                        .build()));

        while (sandboxes.programs.runningNow("deaf") > 0) {
            Thread.onSpinWait();
        }
    }

    @Test
    void outputThatDoesNotFitIntoAMessageIsCutOff() {
        var id = running(sandbox("web"));
        sandboxes.programs.put(
                "much",
                process -> {
                    for (int i = 0; i < 20; i++) {
                        process.print("x".repeat(1 << 20));
                    }
                    return 5;
                });

        var answer =
                runtime.execSync(
                        ExecSyncRequest.newBuilder().setContainerId(id).addCmd("much").build());

        assertThat(answer.getStdout().size()).isEqualTo(ExecSync.MOST_OUTPUT);
        assertThat(answer.getExitCode()).isEqualTo(5);
    }

    @Test
    void streamsAreForContainersThatRun() {
        var id = container(sandbox("web"));
        var request =
                ExecRequest.newBuilder().setContainerId(id).addCmd("sh").setStdout(true).build();

        fails(Code.FAILED_PRECONDITION, () -> runtime.exec(request));
        runtime.startContainer(StartContainerRequest.newBuilder().setContainerId(id).build());
        assertThat(runtime.exec(request).getUrl()).startsWith("http://127.0.0.1:");
        fails(
                Code.INVALID_ARGUMENT,
                () -> runtime.exec(request.toBuilder().setTty(true).setStderr(true).build()));
    }

    @Test
    void eventsComeWithTheStateAfterThem() throws Exception {
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var events = runtime.getContainerEvents(GetEventsRequest.getDefaultInstance());
            var first = threads.submit(events::next);
            // the subscription begins when the call has reached the server
            var made = new ArrayList<String>();
            while (!first.isDone()) {
                made.add(sandbox("pod-" + made.size()));
                Thread.sleep(20);
            }
            var event = first.get();

            assertThat(made).contains(event.getContainerId());
            assertThat(event.getContainerEventType())
                    .isIn(
                            ContainerEventType.CONTAINER_CREATED_EVENT,
                            ContainerEventType.CONTAINER_STARTED_EVENT);
            assertThat(event.getPodSandboxStatus().getState())
                    .isEqualTo(PodSandboxState.SANDBOX_READY);
            channel.shutdownNow();
        }
    }

    @Test
    void aRefusedFieldIsNamed() {
        var request = RunPodSandboxRequest.newBuilder();
        request.getConfigBuilder()
                .getWindowsBuilder()
                .getSecurityContextBuilder()
                .setHostProcess(true);

        assertThatThrownBy(() -> runtime.runPodSandbox(request.build()))
                .hasMessageContaining("UNIMPLEMENTED")
                .hasMessageContaining("config.windows");
        assertThat(sandboxes.list()).isEmpty();
    }

    @Test
    void anUnknownHandlerIsRefused() {
        fails(
                Code.INVALID_ARGUMENT,
                () ->
                        runtime.runPodSandbox(
                                RunPodSandboxRequest.newBuilder()
                                        .setRuntimeHandler("runc")
                                        .build()));
    }

    @Test
    void portsAreForwardedOfSandboxesThatAreReady() {
        var id = sandbox("web");
        var request = PortForwardRequest.newBuilder().setPodSandboxId(id);
        assertThat(runtime.portForward(request.addPort(80).build()).getUrl())
                .startsWith("http://127.0.0.1:")
                .contains("/portforward/");

        fails(
                Code.INVALID_ARGUMENT,
                () -> runtime.portForward(request.clone().addPort(65_536).build()));
        fails(
                Code.NOT_FOUND,
                () ->
                        runtime.portForward(
                                PortForwardRequest.newBuilder().setPodSandboxId("none").build()));
        runtime.stopPodSandbox(StopPodSandboxRequest.newBuilder().setPodSandboxId(id).build());
        fails(Code.FAILED_PRECONDITION, () -> runtime.portForward(request.build()));
    }

    @Test
    void whatIsNotServedSaysWhy() {
        assertThatThrownBy(() ->
                        runtime.checkpointContainer(
                                CheckpointContainerRequest.getDefaultInstance()))
                .hasMessageContaining("UNIMPLEMENTED")
                .hasMessageContaining("cannot be checkpointed");
    }

    @Test
    void anImagesUserIsANumberOrAName() {
        images.put("by-name", user("www-data:1004"));
        images.put("by-number", user("1003:1004"));

        assertThat(image("by-name").getUsername()).isEqualTo("www-data");
        assertThat(image("by-name").hasUid()).isFalse();
        assertThat(image("by-number").getUid().getValue()).isEqualTo(1003);
        assertThat(image("image").hasUid()).isTrue();
    }

    private static ImageConfig user(String user) {
        return new ImageConfig(List.of(), List.of("true"), List.of(), user, "", "", Map.of());
    }

    private Image image(String name) {
        var request = ImageStatusRequest.newBuilder().setVerbose(true);
        request.getImageBuilder().setImage(name);
        return store.imageStatus(request.build()).getImage();
    }

    @Test
    void anImageThatIsNotThereIsNoError() {
        var request = ImageStatusRequest.newBuilder();
        request.getImageBuilder().setImage("nothing");

        assertThat(store.imageStatus(request.build()).hasImage()).isFalse();
    }

    @Test
    void imagesTakeWhatTheirLayersTake() {
        images.put("second", user(""));

        var usage = store.imageFsInfo(ImageFsInfoRequest.getDefaultInstance());

        assertThat(usage.getImageFilesystems(0).getUsedBytes().getValue()).isEqualTo(2 * 4096);
        assertThat(usage.getImageFilesystems(0).getFsId().getMountpoint()).isEqualTo("/images");
    }
}
