package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;

@Timeout(60)
class HandshakeTest {
    @TempDir private Path directory;
    private ServerSocketChannel server;

    @BeforeEach
    void listen() throws IOException {
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(directory.resolve("s")));
    }

    @AfterEach
    void close() throws IOException {
        server.close();
    }

    @Test
    void theStreamBeginsBehindTheAnswerWhateverCameBefore() throws Exception {
        var random = new Random(7);
        for (int round = 0; round < 200; round++) {
            var noise = noise(random);
            var beginning = noise(random);
            var seed = random.nextLong();
            guest(port -> {
                write(port, noise, new Random(seed));
                var answer = "PODVM1 OK " + line(port).substring("PODVM1 ".length());
                var bytes = new ByteArrayOutputStream();
                bytes.writeBytes(answer.getBytes(StandardCharsets.US_ASCII));
                bytes.writeBytes(beginning);
                port.write(ByteBuffer.wrap(bytes.toByteArray()));
            });
            assertThat(shakeHands(Duration.ofSeconds(10))).isEqualTo(beginning);
        }
    }

    @Test
    void onlyTheNewestNumberCounts() throws Exception {
        guest(port -> {
            var first = line(port);
            var second = line(port);
            answer(port, first, "old");
            answer(port, second, "new");
        });
        assertThat(new String(shakeHands(Duration.ofSeconds(10)), StandardCharsets.US_ASCII))
                .isEqualTo("new");
    }

    @Test
    void everyLineHasAFreshNumber() throws Exception {
        var lines = new String[4];
        guest(port -> {
            for (int i = 0; i < lines.length; i++) {
                lines[i] = line(port);
            }
            answer(port, lines[3], "");
        });
        shakeHands(Duration.ofSeconds(10));
        assertThat(lines).doesNotHaveDuplicates().allMatch(l -> l.matches("PODVM1 [0-9a-f]{32}\n"));
    }

    @Test
    void aHangUpIsTold() {
        guest(SocketChannel::close);
        assertThatThrownBy(() -> shakeHands(Duration.ofSeconds(10)))
                .isInstanceOf(IOException.class);
    }

    @Test
    void aFloodOfBytesEndsAtTheDeadline() {
        guest(port -> {
            while (true) {
                port.write(ByteBuffer.allocate(64 << 10));
            }
        });
        assertThatThrownBy(() -> shakeHands(Duration.ofMillis(300)))
                .isInstanceOf(SocketTimeoutException.class);
    }

    private byte[] shakeHands(Duration most) throws IOException, InterruptedException {
        try (var socket = SocketChannel.open(server.getLocalAddress())) {
            socket.configureBlocking(false);
            return new Handshake(socket, new SecureRandom()).await(Deadline.after(most));
        }
    }

    private void guest(Script script) {
        Thread.ofVirtual()
                .start(() -> {
                    try (var port = server.accept()) {
                        script.run(port);
                        // hold the line until the daemon hangs up
                        while (port.read(ByteBuffer.allocate(1024)) >= 0) {}
                    } catch (IOException e) {
                        // the daemon hung up
                    }
                });
    }

    private static void answer(SocketChannel port, String line, String more) throws IOException {
        var text = "PODVM1 OK " + line.substring("PODVM1 ".length()) + more;
        port.write(StandardCharsets.US_ASCII.encode(text));
    }

    private static String line(SocketChannel port) throws IOException {
        var line = new StringBuilder();
        var one = ByteBuffer.allocate(1);
        while (line.indexOf("\n") < 0) {
            if (port.read(one.clear()) < 0) {
                throw new EOFException();
            }
            line.append((char) one.get(0));
        }
        return line.toString();
    }

    private static void write(SocketChannel port, byte[] bytes, Random random) throws IOException {
        for (int at = 0; at < bytes.length; ) {
            var size = Math.min(1 + random.nextInt(200), bytes.length - at);
            port.write(ByteBuffer.wrap(bytes, at, size));
            at += size;
        }
    }

    /** Bytes with pieces of answers among them. */
    private static byte[] noise(Random random) {
        var bytes = new ByteArrayOutputStream();
        var answer = "PODVM1 OK 0123456789abcdef0123456789abcdef\n";
        for (int i = random.nextInt(20); i > 0; i--) {
            var piece = new byte[random.nextInt(100)];
            random.nextBytes(piece);
            bytes.writeBytes(piece);
            var some = answer.substring(0, random.nextInt(answer.length() + 1));
            bytes.writeBytes(some.getBytes(StandardCharsets.US_ASCII));
        }
        return bytes.toByteArray();
    }

    @FunctionalInterface
    private interface Script {
        void run(SocketChannel port) throws IOException;
    }
}
