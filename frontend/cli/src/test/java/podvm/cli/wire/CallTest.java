package podvm.cli.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.node.FakePods;
import podvm.node.NodeServer;
import podvm.node.NodeService;
import podvm.proto.node.v1.*;

@Timeout(60)
class CallTest {
    private static final String NODE = "podvm.node.v1.Node/";

    private final FakePods pods = new FakePods();
    @TempDir private Path directory;
    private Path socket;
    private NodeServer server;

    @BeforeEach
    void start() throws Exception {
        socket = directory.resolve("run/node.sock");
        server =
                NodeServer.start(
                        socket,
                        new NodeService(
                                pods,
                                () -> VersionResponse.newBuilder().setVersion("é").build(),
                                List::of));
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Call open(String method) throws IOException {
        return Call.open(socket, NODE + method);
    }

    private void run(String name, String command, String comment) throws Exception {
        var manifest =
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: %s}
                spec: {containers: [{name: c, image: i, command: [%s]}]}
                #%s
                """
                        .formatted(name, command, comment);
        try (var call = open("RunPods")) {
            call.sendLast(
                    RunPodsRequest.newBuilder()
                            .setManifest(ByteString.copyFromUtf8(manifest))
                            .build()
                            .toByteArray());
            while (call.receive().isPresent()) {
                // to the end
            }
        }
    }

    @Test
    void aUnaryCallIsAnswered() throws Exception {
        try (var call = open("Version")) {
            call.sendLast(new byte[0]);
            var answer = VersionResponse.parseFrom(call.receive().orElseThrow());
            assertThat(answer.getVersion()).isEqualTo("é");
            assertThat(call.receive()).isEmpty();
            assertThat(call.receive()).isEmpty();
        }
    }

    @Test
    void aRefusalHasItsStatusMessageAndDetails() throws Exception {
        try (var call = open("GetPod")) {
            call.sendLast(GetPodRequest.newBuilder().setPod("né").build().toByteArray());
            var failure = catchThrowableOfType(CallFailure.class, call::receive);
            assertThat(failure).hasMessage("no pod né");
            assertThat(failure.status()).isEqualTo(5);
            var error = podvm.proto.node.v1.Error.parseFrom(failure.details());
            assertThat(error.getKind()).isEqualTo("NOT_FOUND");
        }
    }

    @Test
    void anUnknownMethodIsRefused() throws Exception {
        try (var call = open("Nonsense")) {
            call.sendLast(new byte[0]);
            assertThat(catchThrowableOfType(CallFailure.class, call::receive).status())
                    .isEqualTo(CallFailure.UNIMPLEMENTED);
        }
    }

    @Test
    void aRequestLargerThanAllWindowsArrives() throws Exception {
        run("large", "sleep", "x".repeat(3_000_000));
        assertThat(pods.list()).hasSize(1);
    }

    @Test
    void longTrailersComeWhole() throws Exception {
        var manifest =
                "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n" + "  x: 1\n".repeat(200);
        try (var call = open("RunPods")) {
            call.sendLast(
                    RunPodsRequest.newBuilder()
                            .setManifest(ByteString.copyFromUtf8(manifest))
                            .build()
                            .toByteArray());
            var failure = catchThrowableOfType(CallFailure.class, call::receive);
            assertThat(podvm.proto.node.v1.Error.parseFrom(failure.details()).getProblemsList())
                    .hasSizeGreaterThan(50);
        }
    }

    @Test
    void aLongStreamIsHeldBackAndComesWhole() throws Exception {
        run("p", "lines, \"50000\"", "");
        try (var call = open("Logs")) {
            call.sendLast(
                    LogsRequest.newBuilder().setPod("p").setFollow(true).build().toByteArray());
            Thread.sleep(200);
            var count = 0;
            for (var line = call.receive(); line.isPresent(); line = call.receive()) {
                count++;
                assertThat(LogLine.parseFrom(line.get()).getText().toStringUtf8())
                        .isEqualTo("line " + count);
            }
            assertThat(count).isEqualTo(50_000);
        }
    }

    @Test
    void bothDirectionsFlowAtOnce() throws Exception {
        run("p", "sleep", "");
        var random = new byte[3_000_000];
        new Random(1).nextBytes(random);
        try (var call = open("Exec")) {
            var start = ExecStart.newBuilder().setPod("p").addArgs("cat").setStdin(true);
            call.send(ExecRequest.newBuilder().setStart(start).build().toByteArray());
            var sender = Thread.ofVirtual().start(() -> feed(call, random));
            var echoed = ByteString.newOutput();
            var answer = ExecResponse.parseFrom(call.receive().orElseThrow());
            while (answer.hasStdout()) {
                answer.getStdout().writeTo(echoed);
                answer = ExecResponse.parseFrom(call.receive().orElseThrow());
            }
            assertThat(answer.getExit().getExitCode()).isZero();
            assertThat(echoed.toByteString().toByteArray()).isEqualTo(random);
            sender.join();
        }
    }

    private static void feed(Call call, byte[] bytes) {
        try {
            for (var at = 0; at < bytes.length; at += 30_000) {
                var data = ByteString.copyFrom(bytes, at, Math.min(30_000, bytes.length - at));
                call.send(ExecRequest.newBuilder().setStdin(data).build().toByteArray());
            }
            call.send(ExecRequest.newBuilder().setCloseStdin(true).build().toByteArray());
            call.halfClose();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void closingEndsTheServersWork() throws Exception {
        run("p", "sleep", "");
        var call = open("Exec");
        var start = ExecStart.newBuilder().setPod("p").addArgs("sleep");
        call.send(ExecRequest.newBuilder().setStart(start).build().toByteArray());
        while (pods.openSessions() == 0) {
            Thread.sleep(5);
        }
        var receiver = Thread.ofVirtual().start(() -> assertThatThrownBy(call::receive));
        Thread.sleep(50);
        call.close();
        receiver.join();
        while (pods.openSessions() > 0) {
            Thread.sleep(5);
        }
    }

    @Test
    void hostileServersGiveErrorsAndNothingElse() throws Exception {
        var good = recordAnswer();
        for (var seed = 0; seed < 3000; seed++) {
            var bytes = damage(good, new Random(seed));
            try {
                talkTo(bytes);
            } catch (IOException | CallFailure _) {
                // as it should be
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed, e);
            }
        }
    }

    /** All bytes of a good server's answer. */
    private byte[] recordAnswer() throws Exception {
        var request = new java.io.ByteArrayOutputStream();
        var path = directory.resolve("r");
        try (var listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(path));
            try (var call = Call.open(path, NODE + "GetPod");
                    var accepted = listener.accept()) {
                call.sendLast(GetPodRequest.newBuilder().setPod("no").build().toByteArray());
                var buffer = ByteBuffer.allocate(1000);
                accepted.read(buffer);
                request.write(buffer.array(), 0, buffer.position());
            }
        }
        Files.delete(path);
        try (var channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            channel.write(ByteBuffer.wrap(request.toByteArray()));
            Thread.sleep(500);
            var answer = ByteBuffer.allocate(10_000);
            channel.read(answer);
            return java.util.Arrays.copyOf(answer.array(), answer.position());
        }
    }

    private static byte[] damage(byte[] good, Random random) {
        if (random.nextInt(20) == 0) {
            var noise = new byte[random.nextInt(300)];
            random.nextBytes(noise);
            return noise;
        }
        var bytes = good.clone();
        for (var i = random.nextInt(4); i >= 0; i--) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
        }
        return bytes;
    }

    private void talkTo(byte[] answer) throws IOException, CallFailure {
        var path = directory.resolve("h");
        try (var listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            listener.bind(UnixDomainSocketAddress.of(path));
            try (var call = Call.open(path, NODE + "GetPod")) {
                call.sendLast(new byte[0]);
                try (var accepted = listener.accept()) {
                    accepted.write(ByteBuffer.wrap(answer));
                    accepted.shutdownOutput();
                    while (call.receive().isPresent()) {
                        // to the end
                    }
                }
            }
        } finally {
            Files.deleteIfExists(path);
        }
    }
}
