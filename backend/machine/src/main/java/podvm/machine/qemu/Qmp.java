package podvm.machine.qemu;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * A connection to QEMU's control socket (qemu: docs/interop/qmp-spec). One thread reads and one
 * writes, so that an interrupted caller never closes the channel under the others.
 */
final class Qmp implements AutoCloseable {
    /** Hears events on the reading thread; must not wait for replies. */
    @FunctionalInterface
    interface Listener {
        void event(String name, JsonNode data);
    }

    /** A guest that took over its VMM must not exhaust the daemon. */
    private static final int LONGEST_LINE = 1 << 20;

    private final SocketChannel socket;
    private final Path path;
    private final Listener listener;
    private final AtomicLong ids = new AtomicLong();
    private final Map<Long, CompletableFuture<JsonNode>> waiting = new ConcurrentHashMap<>();
    private final BlockingQueue<String> outgoing = new LinkedBlockingQueue<>();
    private final CompletableFuture<JsonNode> greeting = new CompletableFuture<>();
    private final Thread reader;
    private final Thread writer;
    private volatile boolean ended;

    private Qmp(SocketChannel socket, Path path, Listener listener) {
        this.socket = socket;
        this.path = path;
        this.listener = listener;
        this.reader = Thread.ofVirtual().name("qmp reader " + path).unstarted(this::read);
        this.writer = Thread.ofVirtual().name("qmp writer " + path).unstarted(this::write);
    }

    /** Returns when QEMU takes commands. */
    static Qmp connect(Path path, Listener listener, Deadline deadline)
            throws PodException, InterruptedException {
        var qmp = open(path, listener);
        try {
            qmp.await(qmp.greeting, "the greeting", deadline);
            qmp.execute("qmp_capabilities", Map.of(), deadline);
            return qmp;
        } catch (PodException | InterruptedException e) {
            qmp.close();
            throw e;
        }
    }

    private static Qmp open(Path path, Listener listener) throws PodException {
        try {
            var socket = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                socket.connect(UnixDomainSocketAddress.of(path));
            } catch (IOException e) {
                socket.close();
                throw e;
            }
            var qmp = new Qmp(socket, path, listener);
            qmp.reader.start();
            qmp.writer.start();
            return qmp;
        } catch (IOException e) {
            throw new PodException(
                    Kind.MACHINE, "cannot connect to QEMU at " + path + ": " + e, "", e);
        }
    }

    /** Fails with MACHINE when QEMU refuses or is gone, with DEADLINE when it does not answer. */
    JsonNode execute(String command, Map<String, ?> arguments, Deadline deadline)
            throws PodException, InterruptedException {
        var id = ids.incrementAndGet();
        var reply = new CompletableFuture<JsonNode>();
        waiting.put(id, reply);
        try {
            if (ended) {
                throw gone();
            }
            outgoing.add(Json.text(Map.of("execute", command, "arguments", arguments, "id", id)));
            var answer = await(reply, "an answer to " + command, deadline);
            var error = answer.get("error");
            if (error != null) {
                throw new PodException(
                        Kind.MACHINE,
                        "QEMU refuses " + command + ": " + error.path("desc").asString("?"),
                        "");
            }
            return answer.path("return");
        } finally {
            waiting.remove(id);
        }
    }

    /** Waits until QEMU has closed the connection, and all events are told. */
    boolean awaitEnd(Duration most) throws InterruptedException {
        return reader.join(most);
    }

    private JsonNode await(CompletableFuture<JsonNode> reply, String what, Deadline deadline)
            throws PodException, InterruptedException {
        var patience = deadline.leftMillis();
        try {
            return reply.get(patience, TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new PodException(
                    Kind.DEADLINE,
                    "QEMU at %s did not give %s in %d ms".formatted(path, what, patience),
                    "",
                    e);
        } catch (ExecutionException e) {
            throw gone();
        }
    }

    private PodException gone() {
        return new PodException(Kind.MACHINE, "QEMU has closed " + path, "see its log");
    }

    private void write() {
        try {
            while (true) {
                var line =
                        ByteBuffer.wrap((outgoing.take() + "\n").getBytes(StandardCharsets.UTF_8));
                while (line.hasRemaining()) {
                    socket.write(line);
                }
            }
        } catch (IOException | InterruptedException _) {
            // the reader meets the same end and tells those who wait
        }
    }

    private void read() {
        var line = new ByteArrayOutputStream();
        var buffer = ByteBuffer.allocate(4096);
        try {
            while (socket.read(buffer) >= 0) {
                buffer.flip();
                while (buffer.hasRemaining()) {
                    var next = buffer.get();
                    if (next == '\n') {
                        take(Json.MAPPER.readTree(line.toByteArray()));
                        line.reset();
                    } else if (line.size() < LONGEST_LINE) {
                        line.write(next);
                    } else {
                        throw new IOException("a line of more than " + LONGEST_LINE + " bytes");
                    }
                }
                buffer.clear();
            }
        } catch (IOException | JacksonException _) {
            // a QEMU that talks nonsense is as good as gone
        } finally {
            ended = true;
            close();
            var end = new IOException("closed");
            greeting.completeExceptionally(end);
            waiting.values().forEach(reply -> reply.completeExceptionally(end));
        }
    }

    private void take(JsonNode message) {
        if (message.has("QMP")) {
            greeting.complete(message);
        } else if (message.has("event")) {
            listener.event(message.path("event").asString(""), message.path("data"));
        } else {
            var reply = waiting.get(message.path("id").asLong(0));
            if (reply != null) {
                reply.complete(message);
            }
        }
    }

    @Override
    public void close() {
        writer.interrupt();
        try {
            socket.close();
        } catch (IOException _) {
            // all that was written has been answered, or nobody waits for it
        }
    }
}
