package podvm.e2e;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.function.BiFunction;

/** Passes GET and HEAD on to a registry, and changes what comes back. */
final class LyingProxy implements AutoCloseable {
    private final HttpServer server;
    private final HttpClient http = HttpClient.newHttpClient();

    /**
     * @param lie makes another body from the path and the true one
     */
    LyingProxy(String registry, BiFunction<String, byte[], byte[]> lie) throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", exchange -> answer(exchange, registry, lie));
        server.start();
    }

    String host() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    private void answer(
            HttpExchange exchange, String registry, BiFunction<String, byte[], byte[]> lie)
            throws IOException {
        try (exchange) {
            var path = exchange.getRequestURI().toString();
            var request = HttpRequest.newBuilder(URI.create("http://" + registry + path)).GET();
            exchange.getRequestHeaders()
                    .getOrDefault("Accept", List.of())
                    .forEach(type -> request.header("Accept", type));
            var truth = http.send(request.build(), BodyHandlers.ofByteArray());
            var body = lie.apply(path, truth.body());
            for (var name : new String[] {"Content-Type", "Docker-Content-Digest"}) {
                truth.headers()
                        .firstValue(name)
                        .ifPresent(value -> exchange.getResponseHeaders().set(name, value));
            }
            boolean head = exchange.getRequestMethod().equals("HEAD");
            exchange.sendResponseHeaders(
                    truth.statusCode(), head || body.length == 0 ? -1 : body.length);
            if (!head) {
                exchange.getResponseBody().write(body);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        server.stop(0);
        http.close();
    }
}
