package podvm.cri.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.util.function.Consumer;
import podvm.engine.GuestPorts;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PortConnection;

/** One forwarded connection, from its streams to its end. */
final class PortRun {
    private final Destination.PortOpener opener;
    private final SpdyStream data;
    private final SpdyStream error;
    private final Consumer<PortRun> ended;
    private final Thread thread;

    PortRun(
            Destination.PortOpener opener,
            SpdyStream data,
            SpdyStream error,
            Consumer<PortRun> ended) {
        this.opener = opener;
        this.data = data;
        this.error = error;
        this.ended = ended;
        this.thread = Thread.ofVirtual().name("port-forward").unstarted(this::run);
    }

    SpdyStream data() {
        return data;
    }

    SpdyStream error() {
        return error;
    }

    void start() {
        thread.start();
    }

    void cancel() {
        thread.interrupt();
    }

    private void run() {
        try {
            forward();
        } catch (PodException e) {
            tell(e.describe());
        } catch (IOException | InterruptedException _) {
            // the client has left
        } finally {
            data.in().discard();
            error.in().discard();
            error.end();
            data.end();
            ended.accept(this);
        }
    }

    private void tell(String message) {
        try {
            error.write(message.getBytes(UTF_8));
        } catch (IOException _) {
            // nobody is there to be told
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void forward() throws PodException, IOException, InterruptedException {
        try (var connection = opener.connect(port())) {
            var pump =
                    Thread.ofVirtual().name("port-forward-in").start(() -> passInput(connection));
            try {
                for (var bytes = connection.receive();
                        bytes.length > 0;
                        bytes = connection.receive()) {
                    data.write(bytes);
                }
                // kubectl waits for both ends before it ends its own direction
                data.end();
                error.end();
                pump.join();
            } finally {
                pump.interrupt();
                pump.join();
            }
        }
    }

    private void passInput(PortConnection connection) {
        try {
            for (var bytes = data.in().take(); bytes.isPresent(); bytes = data.in().take()) {
                connection.send(bytes.get());
            }
            connection.endOfInput();
        } catch (PodException _) {
            // the pod's side has closed, which receive() tells
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } finally {
            data.in().discard();
        }
    }

    private int port() throws PodException {
        var text = data.header("port");
        try {
            return GuestPorts.check(Integer.parseInt(text));
        } catch (NumberFormatException e) {
            throw new PodException(Kind.INVALID, "not a port: '" + text + "'", "use 1 to 65535", e);
        }
    }
}
