package podvm.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A socket of the host, mounted into a container by its path. */
class HostSocketsIT {
    @RegisterExtension static final Node node = Node.ofKubelet();

    private static Crictl crictl;
    private static Path host;
    private static String pod;
    private static String main;

    /** Takes all that a client sends until it ends its direction, and only then answers. */
    private record Server(ServerSocketChannel socket, Path path) implements AutoCloseable {
        static Server at(Path path, String name) throws IOException {
            var socket = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            socket.bind(UnixDomainSocketAddress.of(path));
            var server = new Server(socket, path);
            Thread.ofVirtual().start(() -> server.run(name));
            return server;
        }

        private void run(String name) {
            try {
                while (true) {
                    var client = socket.accept();
                    Thread.ofVirtual().start(() -> answer(client, name));
                }
            } catch (IOException e) {
                // closed
            }
        }

        private static void answer(SocketChannel client, String name) {
            try (client) {
                var said = new String(Channels.newInputStream(client).readAllBytes(), UTF_8);
                var answer = ByteBuffer.wrap((name + " heard " + said + "\n").getBytes(UTF_8));
                while (answer.hasRemaining()) {
                    client.write(answer);
                }
            } catch (IOException e) {
                // the client has gone
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
            Files.deleteIfExists(path);
        }
    }

    @BeforeAll
    static void aContainerHasASocket() throws Exception {
        crictl = Crictl.of(node);
        if (!Box.hasProbe()) {
            System.out.println("skipped: no C compiler for a program that connects");
        }
        assumeTrue(Box.hasProbe(), "no C compiler for a program that connects");
        host = Files.createDirectories(node.base().resolve("tmp/sockets"));
        pod = crictl.sandbox("sockets");
        try (var _ = Server.at(host.resolve("s"), "first")) {
            var mounts =
                    """
                    , "mounts": [
                      {"container_path": "/run/s", "host_path": "%1$s/s", "readonly": true},
                      {"container_path": "/all", "host_path": "%1$s"}]
                    """
                            .formatted(host);
            main = crictl.container(pod, "sockets", "main", "exec sleep 1000", mounts);
            assertThat(say("hi")).isEqualTo("first heard hi\nend");
            assertThat(connect("/all/s", "hi")).as("by its directory").isEqualTo("ECONNREFUSED");
        }
    }

    @AfterAll
    static void nothingIsLeft() throws Exception {
        if (pod != null) {
            crictl.out("rmp", "--force", pod);
            Files.deleteIfExists(host);
            Files.deleteIfExists(node.base().resolve("tmp/main.log"));
        }
    }

    private static String say(String words) throws Exception {
        return connect("/run/s", words);
    }

    private static String connect(String socket, String words) throws Exception {
        var script = "printf '%s' | probe unix %s".formatted(words, socket);
        return crictl.out("exec", "--sync", main, "sh", "-c", script);
    }

    @Test
    void whereNobodyListensTheConnectionEndsAndLaterOnesReachWhoDoes() throws Exception {
        assertThat(say("hi")).isIn("end", "broken");
        try (var _ = Server.at(host.resolve("s"), "second")) {
            assertThat(say("you")).isEqualTo("second heard you\nend");
            var script = "for i in 1 2 3 4 5 6; do printf $i | probe unix /run/s & done; wait";
            assertThat(crictl.out("exec", "--sync", main, "sh", "-c", script).lines())
                    .filteredOn(line -> line.startsWith("second heard "))
                    .hasSize(6);
            var much = "dd if=/dev/zero bs=1M count=3 2>/dev/null | probe unix /run/s | wc -c";
            assertThat(crictl.out("exec", "--sync", main, "sh", "-c", much))
                    .isEqualTo(Integer.toString("second heard \nend\n".length() + (3 << 20)));
        }
    }

    @Test
    void theNextDaemonConnectsToo() throws Exception {
        try (var _ = Server.at(host.resolve("s"), "third")) {
            node.killDaemon();
            node.startDaemon();
            Wait.until(
                    "the container is known to run",
                    () -> crictl.out("ps", "-q", "--no-trunc").contains(main));
            assertThat(say("again")).isEqualTo("third heard again\nend");
        }
    }
}
