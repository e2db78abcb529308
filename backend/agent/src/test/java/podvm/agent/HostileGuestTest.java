package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.GuestAddress;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** Guests that break HTTP/2 itself. */
@Timeout(60)
class HostileGuestTest {
    // frames of RFC 9113: length, type, flags, stream, payload
    private static final byte[] SETTINGS = HexFormat.of().parseHex("000000" + "0400" + "00000000");
    private static final byte[] PING =
            HexFormat.of().parseHex("000008" + "0600" + "00000000" + "0123456789abcdef");

    private final GrpcAgents agents = new GrpcAgents();
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong connections = new AtomicLong();
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
        agents.close();
    }

    @Test
    void aGuestThatAsksForAnswersItDoesNotReadIsHungUpOn() {
        var many = ByteBuffer.allocate(1000 * PING.length);
        while (many.hasRemaining()) {
            many.put(PING);
        }
        guest(port -> {
            port.write(ByteBuffer.wrap(SETTINGS));
            while (true) {
                sent.addAndGet(port.write(many.rewind()));
            }
        });
        assertNotReached();
        assertThat(sent.get() / connections.get()).isLessThan(2 << 20);
    }

    @Test
    void aGuestThatSpeaksNoHttp2IsHungUpOn() {
        var random = new Random(3);
        guest(port -> {
            var noise = new byte[4096];
            while (true) {
                random.nextBytes(noise);
                sent.addAndGet(port.write(ByteBuffer.wrap(noise)));
            }
        });
        assertNotReached();
        assertThat(sent.get() / connections.get()).isLessThan(2 << 20);
    }

    @Test
    void aGuestThatSaysNothingEndsAtTheDeadline() {
        guest(port -> port.write(ByteBuffer.wrap(SETTINGS)));
        assertNotReached();
    }

    private void assertNotReached() {
        var address = new GuestAddress.Serial(directory.resolve("s"));
        var e =
                catchThrowableOfType(
                        PodException.class,
                        () -> agents.connect(address, Deadline.after(Duration.ofSeconds(3))));
        assertThat(e.kind()).isEqualTo(Kind.DEADLINE);
    }

    private void guest(Script script) {
        Thread.ofVirtual()
                .start(() -> {
                    while (server.isOpen()) {
                        try (var port = server.accept()) {
                            answer(port);
                            connections.incrementAndGet();
                            script.run(port);
                            Thread.sleep(Duration.ofSeconds(10));
                        } catch (IOException | InterruptedException e) {
                            // the daemon hung up
                        }
                    }
                });
    }

    private static void answer(SocketChannel port) throws IOException {
        var line = ByteBuffer.allocate("PODVM1 ".length() + 33);
        while (line.hasRemaining()) {
            if (port.read(line) < 0) {
                throw new IOException("hung up");
            }
        }
        var text = StandardCharsets.US_ASCII.decode(line.flip()).toString();
        port.write(StandardCharsets.US_ASCII.encode(text.replace("PODVM1", "PODVM1 OK")));
    }

    @FunctionalInterface
    private interface Script {
        void run(SocketChannel port) throws IOException;
    }
}
