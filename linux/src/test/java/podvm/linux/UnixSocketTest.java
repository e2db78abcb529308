package podvm.linux;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

@Timeout(20)
class UnixSocketTest {
    @TempDir Path temporary;

    @Test
    void aListenerCanBeDialledBeforeAnybodyAccepts() throws Exception {
        var path = temporary.resolve("socket");
        try (var _ = UnixSocket.listen(path);
                var client = SocketChannel.open(UnixDomainSocketAddress.of(path))) {
            assertThat(client.isConnected()).isTrue();
        }
    }

    @Test
    void bytesGoBothWays() throws Exception {
        var path = temporary.resolve("socket");
        try (var server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
            try (var client = UnixSocket.connect(path);
                    var peer = server.accept()) {
                client.send("ping".getBytes(UTF_8));
                var got = ByteBuffer.allocate(4);
                peer.read(got);
                assertThat(got.array()).isEqualTo("ping".getBytes(UTF_8));
                peer.write(ByteBuffer.wrap("pong!".getBytes(UTF_8)));
                var answer = new byte[16];
                assertThat(client.receive(answer, soon())).isEqualTo(5);
                peer.shutdownOutput();
                assertThat(client.receive(answer, soon())).isZero();
            }
        }
    }

    @Test
    void silenceEndsAtTheDeadline() throws Exception {
        var path = temporary.resolve("socket");
        try (var _ = UnixSocket.listen(path);
                var client = UnixSocket.connect(path)) {
            var deadline = Deadline.after(Duration.ofMillis(50));
            assertThatThrownBy(() -> client.receive(new byte[1], deadline))
                    .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                    .matches(e -> e.kind() == Kind.DEADLINE);
        }
    }

    @Test
    void aTakenPathIsRefused() throws Exception {
        var path = temporary.resolve("socket");
        try (var _ = UnixSocket.listen(path)) {
            assertThatThrownBy(() -> UnixSocket.listen(path).close())
                    .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                    .matches(e -> e.kind() == Kind.ALREADY_EXISTS);
        }
    }

    @Test
    void aPathThatIsTooLongIsToldWithItsLength() {
        var path = temporary.resolve("x".repeat(107));
        assertThatThrownBy(() -> UnixSocket.listen(path).close())
                .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                .matches(e -> e.kind() == Kind.INVALID)
                .matches(e -> e.getMessage().contains("107"));
    }

    @Test
    void whereNobodyListensThereIsNoConnection() {
        assertThatThrownBy(() -> UnixSocket.connect(temporary.resolve("none")).close())
                .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                .matches(e -> e.kind() == Kind.NOT_FOUND);
    }

    private static Deadline soon() {
        return Deadline.after(Duration.ofSeconds(5));
    }
}
