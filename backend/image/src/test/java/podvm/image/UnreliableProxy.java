package podvm.image;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;

/** Stands before a registry and does to its answers what a test wants. */
final class UnreliableProxy implements AutoCloseable {
    /** What the registry said. */
    record Honest(int status, byte[] body) {}

    interface Fault {
        void answer(HttpExchange exchange, Honest honest) throws IOException;
    }

    private static final List<String> PASSED_ON =
            List.of("Content-Type", "Docker-Content-Digest", "Content-Range", "ETag");

    private final String registry;
    private final HttpServer server;
    private final HttpClient client = HttpClient.newHttpClient();
    private final ConcurrentLinkedQueue<Fault> faults = new ConcurrentLinkedQueue<>();
    private volatile String where = "/blobs/";

    /** "bytes=5-" or "whole" of each request that could have met a fault. */
    final List<String> ranges = new CopyOnWriteArrayList<>();

    UnreliableProxy(String registry) throws IOException {
        this.registry = registry;
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::serve);
        server.start();
    }

    String host() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    /** The next requests whose path has this part meet these faults, one each. */
    void fail(String part, Fault... next) {
        where = part;
        faults.clear();
        faults.addAll(List.of(next));
        ranges.clear();
    }

    int left() {
        return faults.size();
    }

    static Fault status(int status, String... header) {
        return (exchange, honest) -> {
            if (header.length > 0) {
                exchange.getResponseHeaders().set(header[0], header[1]);
            }
            exchange.sendResponseHeaders(status, -1);
        };
    }

    static Fault cutAfter(int bytes) {
        return (exchange, honest) -> {
            exchange.sendResponseHeaders(honest.status(), honest.body().length);
            exchange.getResponseBody().write(honest.body(), 0, bytes);
            exchange.getResponseBody().flush();
        };
    }

    /** Breaks off before it has answered at all. */
    static Fault silence() {
        return (exchange, honest) -> exchange.close();
    }

    /** Until released, says nothing more after some bytes. */
    static Fault stallAfter(int bytes, Semaphore release) {
        return (exchange, honest) -> {
            cutAfter(bytes).answer(exchange, honest);
            release.acquireUninterruptibly();
        };
    }

    static Fault length(int length) {
        return (exchange, honest) -> {
            exchange.sendResponseHeaders(honest.status(), length);
            exchange.getResponseBody()
                    .write(honest.body(), 0, Math.min(length, honest.body().length));
        };
    }

    /** Does not say how long it is, and ends early as if it were whole. */
    static Fault endAfter(int bytes) {
        return (exchange, honest) -> {
            exchange.sendResponseHeaders(honest.status(), 0);
            exchange.getResponseBody().write(honest.body(), 0, bytes);
            exchange.getResponseBody().close();
        };
    }

    static Fault wrongByte(int at) {
        return (exchange, honest) -> {
            var wrong = honest.body().clone();
            wrong[at] ^= 1;
            exchange.sendResponseHeaders(honest.status(), wrong.length);
            exchange.getResponseBody().write(wrong);
        };
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            var path = exchange.getRequestURI().getRawPath();
            var range = exchange.getRequestHeaders().getFirst("Range");
            var fault = path.contains(where) ? faults.poll() : null;
            if (path.contains(where)) {
                ranges.add(range == null ? "whole" : range);
            }
            var honest = ask(exchange, path, range);
            if (fault != null) {
                fault.answer(exchange, honest);
                return;
            }
            boolean empty = honest.body().length == 0;
            exchange.sendResponseHeaders(honest.status(), empty ? -1 : honest.body().length);
            if (!empty) {
                exchange.getResponseBody().write(honest.body());
            }
        }
    }

    private Honest ask(HttpExchange exchange, String path, String range) throws IOException {
        var request = HttpRequest.newBuilder(URI.create("http://" + registry + path));
        var accept = exchange.getRequestHeaders().getFirst("Accept");
        request.header("Accept", accept == null ? "*/*" : accept);
        if (range != null) {
            request.header("Range", range);
        }
        try {
            var answer = client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
            for (var name : PASSED_ON) {
                answer.headers()
                        .firstValue(name)
                        .ifPresent(value -> exchange.getResponseHeaders().set(name, value));
            }
            return new Honest(answer.statusCode(), answer.body());
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        client.shutdownNow();
    }
}
