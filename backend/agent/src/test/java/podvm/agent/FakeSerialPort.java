package podvm.agent;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The socket of a machine's serial port and the agent's side of the handshake; behind it, bytes go
 * to and from an HTTP/2 server on another socket. One connection at a time, as a VMM has it.
 */
final class FakeSerialPort implements AutoCloseable {
    /** What may go wrong before the streams agree. */
    record Trouble(
            byte[] staleBytes,
            int deafLines,
            int hangUps,
            int millisBeforeAnswers,
            boolean speaksBeforePreface) {
        Trouble(byte[] staleBytes, int deafLines, int hangUps, int millisBeforeAnswers) {
            this(staleBytes, deafLines, hangUps, millisBeforeAnswers, false);
        }

        static Trouble none() {
            return new Trouble(new byte[0], 0, 0, 0);
        }
    }

    private final ServerSocketChannel server;
    private final Path behind;
    private final Trouble trouble;
    private final AtomicInteger connections = new AtomicInteger();
    private volatile SocketChannel current;

    FakeSerialPort(Path socket, Path behind, Trouble trouble) throws IOException {
        this.behind = behind;
        this.trouble = trouble;
        server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
        server.bind(UnixDomainSocketAddress.of(socket), 1);
        Thread.ofVirtual().name("serial-port").start(this::serve);
    }

    int connections() {
        return connections.get();
    }

    /** As if the VMM died. */
    void breakConnection() throws IOException {
        current.close();
    }

    private void serve() {
        while (server.isOpen()) {
            try (var client = server.accept()) {
                current = client;
                if (connections.incrementAndGet() > trouble.hangUps()) {
                    serve(client);
                }
            } catch (IOException | InterruptedException e) {
                // the test or the client has hung up
            }
        }
    }

    private void serve(SocketChannel client) throws IOException, InterruptedException {
        client.write(ByteBuffer.wrap(trouble.staleBytes()));
        try (var agent = SocketChannel.open(UnixDomainSocketAddress.of(behind))) {
            agent.write(handshake(client, agent));
            var up = Thread.ofVirtual().start(() -> copy(client, agent));
            copy(agent, client);
            client.close();
            up.join();
        }
    }

    /** Answers lines until HTTP/2 begins; returns its first bytes. */
    private ByteBuffer handshake(SocketChannel client, SocketChannel agent)
            throws IOException, InterruptedException {
        var deaf = trouble.deafLines();
        var line = new StringBuilder();
        var one = ByteBuffer.allocate(1);
        while (client.read(one.clear()) > 0) {
            line.append((char) one.get(0));
            if (line.toString().startsWith("PRI ")) {
                return StandardCharsets.US_ASCII.encode(line.toString());
            }
            if (line.charAt(line.length() - 1) == '\n') {
                var number = line.substring("PODVM1 ".length());
                line.setLength(0);
                if (deaf-- <= 0) {
                    Thread.sleep(trouble.millisBeforeAnswers());
                    var answer = ByteBuffer.allocate(4096).put(bytes("PODVM1 OK " + number));
                    if (trouble.speaksBeforePreface()) {
                        agent.read(answer);
                    }
                    client.write(answer.flip());
                }
            }
        }
        throw new IOException("hung up in the handshake");
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static void copy(SocketChannel from, SocketChannel to) {
        var bytes = ByteBuffer.allocate(64 << 10);
        try {
            while (from.read(bytes.clear()) >= 0) {
                bytes.flip();
                while (bytes.hasRemaining()) {
                    to.write(bytes);
                }
            }
            to.close();
        } catch (IOException e) {
            try {
                to.close();
            } catch (IOException second) {
                e.addSuppressed(second);
            }
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
        if (current != null) {
            current.close();
        }
    }
}
