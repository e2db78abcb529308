package podvm.bench;

import com.google.protobuf.ByteString;
import io.grpc.ManagedChannel;
import io.grpc.netty.NettyChannelBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import podvm.proto.node.v1.GetPodRequest;
import podvm.proto.node.v1.LogsRequest;
import podvm.proto.node.v1.NodeGrpc;
import podvm.proto.node.v1.Pod;
import podvm.proto.node.v1.PullImageRequest;
import podvm.proto.node.v1.RemoveImageRequest;
import podvm.proto.node.v1.RemovePodRequest;
import podvm.proto.node.v1.RunPodsRequest;
import podvm.proto.node.v1.VersionRequest;

/** A daemon of our own with nothing in it but one image, and a client that is warm. */
final class Node implements AutoCloseable {
    /** Its path is short, since the paths of Unix sockets are. */
    static final Path PARENT = Path.of("/tmp");

    private static final String IMAGE = Containerd.IMAGE;

    private final Path directory;
    private final Process daemon;
    private final MultiThreadIoEventLoopGroup loop;
    private final ManagedChannel channel;
    private int pods;

    private Node(
            Path directory,
            Process daemon,
            MultiThreadIoEventLoopGroup loop,
            ManagedChannel channel) {
        this.directory = directory;
        this.daemon = daemon;
        this.loop = loop;
        this.channel = channel;
    }

    /**
     * @param options of podvmd
     */
    static Node start(Place place, String... options) throws IOException, InterruptedException {
        var directory = Scratch.in(PARENT).path();
        var socket = directory.resolve("run/node.sock");
        var words = new ArrayList<>(List.of(place.home().resolve("bin/podvmd").toString()));
        words.addAll(List.of(options));
        var daemon = command(directory, words.toArray(String[]::new)).start();
        for (int i = 0; !Files.exists(socket); i++) {
            if (i > 600 || !daemon.isAlive()) {
                throw new IOException(
                        "the daemon did not start; see " + directory.resolve("daemon.log"));
            }
            Thread.sleep(50);
        }
        var load =
                command(
                                directory,
                                place.home().resolve("bin/podvm").toString(),
                                "image",
                                "import",
                                "--name",
                                IMAGE,
                                place.busybox().toString())
                        .start();
        if (load.waitFor() != 0) {
            throw new IOException(
                    "cannot import "
                            + place.busybox()
                            + "; see "
                            + directory.resolve("daemon.log"));
        }
        var loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        var channel =
                NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                        .channelType(NioDomainSocketChannel.class)
                        .withOption(ChannelOption.SO_KEEPALIVE, null)
                        .eventLoopGroup(loop)
                        .usePlaintext()
                        .build();
        return new Node(directory, daemon, loop, channel);
    }

    private static ProcessBuilder command(Path directory, String... words) {
        var builder = new ProcessBuilder(words).redirectErrorStream(true);
        builder.environment().put("PODVM_STATE", directory.resolve("state").toString());
        builder.environment().put("PODVM_RUN", directory.resolve("run").toString());
        builder.redirectOutput(
                ProcessBuilder.Redirect.appendTo(directory.resolve("daemon.log").toFile()));
        return builder;
    }

    ProcessBuilder podvm(Place place, String... words) {
        var line = new ArrayList<String>();
        line.add(place.home().resolve("bin/podvm").toString());
        line.addAll(List.of(words));
        return command(directory, line.toArray(String[]::new));
    }

    Path criSocket() {
        return directory.resolve("run/podvm.sock");
    }

    NodeGrpc.NodeBlockingStub calls() {
        return NodeGrpc.newBlockingStub(channel);
    }

    long daemonPid() {
        return calls().version(VersionRequest.getDefaultInstance()).getPid();
    }

    /**
     * Starts a pod of one container that runs a shell script; returns its id as soon as it is
     * accepted.
     */
    String run(String script) {
        var manifest =
                """
                {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "bench-%d"},
                 "spec": {"restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                          "containers": [{"name": "main", "image": "%s", "imagePullPolicy": "Never",
                                          "command": ["/bin/sh", "-c", "%s"]}]}}
                """
                        .formatted(pods++, IMAGE, script);
        var events =
                calls().runPods(
                                RunPodsRequest.newBuilder()
                                        .setManifest(ByteString.copyFromUtf8(manifest))
                                        .setSource("bench")
                                        .build());
        while (events.hasNext()) {
            var event = events.next();
            if (event.hasCreated()) {
                return event.getCreated().getId();
            }
        }
        throw new IllegalStateException("the pod was not accepted");
    }

    void awaitOutput(String pod, String wanted) {
        var lines =
                calls().withDeadlineAfter(2, TimeUnit.MINUTES)
                        .logs(LogsRequest.newBuilder().setPod(pod).setFollow(true).build());
        while (lines.hasNext()) {
            if (lines.next().getText().toString(StandardCharsets.UTF_8).contains(wanted)) {
                return;
            }
        }
        throw new IllegalStateException("no output " + wanted + " of the pod:\n" + status(pod));
    }

    /** All that a pod prints until it ends. */
    String output(String pod) {
        var text = new StringBuilder();
        calls().withDeadlineAfter(10, TimeUnit.MINUTES)
                .logs(LogsRequest.newBuilder().setPod(pod).setFollow(true).build())
                .forEachRemaining(line -> text.append(line.getText().toStringUtf8()).append('\n'));
        return text.toString();
    }

    /** The disk of the image's one layer. */
    Path layer() throws IOException {
        try (var files = Files.walk(directory.resolve("state/images/layers"))) {
            return files.filter(file -> file.toString().endsWith(".erofs"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private Pod status(String pod) {
        return calls().getPod(GetPodRequest.newBuilder().setPod(pod).build());
    }

    void pull(String reference) {
        var request = PullImageRequest.newBuilder().setReference(reference).build();
        var events = calls().pullImage(request);
        while (events.hasNext()) {
            var _ = events.next();
        }
    }

    void forget(String reference) {
        var _ = calls().removeImage(RemoveImageRequest.newBuilder().setImage(reference).build());
    }

    void remove(String pod) {
        var _ = calls().removePod(RemovePodRequest.newBuilder().setPod(pod).setForce(true).build());
    }

    /** Process of a pod's VMM. */
    static long vmm(String pod) throws IOException {
        try (var processes = Files.list(Path.of("/proc"))) {
            for (var process :
                    processes
                            .filter(path -> path.getFileName().toString().matches("\\d+"))
                            .toList()) {
                try {
                    var line =
                            Files.readString(
                                    process.resolve("cmdline"), StandardCharsets.ISO_8859_1);
                    if (line.contains("-name\0podvm-" + pod)) {
                        return Long.parseLong(process.getFileName().toString());
                    }
                } catch (IOException e) {
                    // it has ended meanwhile
                }
            }
        }
        throw new IOException("no VMM of pod " + pod);
    }

    @Override
    public void close() throws IOException {
        channel.shutdownNow();
        var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
        daemon.destroy();
        var _ = daemon.onExit().join();
        new Scratch(directory).close();
    }
}
