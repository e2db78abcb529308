package podvm.image;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import podvm.image.registry.RegistryOptions;

/** A registry on the loopback that misbehaves as a test wants it. */
final class FakeRegistry implements AutoCloseable {
    /** Does not make tests wait. */
    static final RegistryOptions IMPATIENT =
            new RegistryOptions(
                    List.of(),
                    Optional.empty(),
                    Map.of(),
                    new RegistryOptions.Patience(
                            Duration.ofSeconds(10),
                            Duration.ofSeconds(30),
                            Duration.ofSeconds(30),
                            4,
                            Duration.ofMillis(20),
                            Duration.ofSeconds(5)));

    static RegistryOptions impatient(Path hosts, Map<String, String> environment) {
        return new RegistryOptions(
                List.of(hosts), Optional.empty(), environment, IMPATIENT.patience());
    }

    interface Misbehaviour {
        /** True when it has answered. */
        boolean answer(HttpExchange exchange, byte[] content) throws IOException;
    }

    private final HttpServer server;
    private final Map<String, byte[]> content = new ConcurrentHashMap<>();
    private final Map<String, String> types = new ConcurrentHashMap<>();
    private final Map<String, Misbehaviour> misbehaviours = new HashMap<>();
    final List<String> requests = new CopyOnWriteArrayList<>();

    FakeRegistry() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/", this::serve);
        server.start();
    }

    String host() {
        return "127.0.0.1:" + server.getAddress().getPort();
    }

    /** Serves all blobs, and one manifest under a tag. */
    String publish(String repository, OciBytes oci, OciBytes.Blob root) {
        return publish(repository, "1", oci, root);
    }

    String publish(String repository, String version, OciBytes oci, OciBytes.Blob root) {
        oci.blobs()
                .forEach((digest, bytes) -> {
                    for (var kind : List.of("blobs", "manifests")) {
                        var path = "/v2/%s/%s/%s".formatted(repository, kind, digest);
                        content.put(path, bytes);
                        types.put(path, oci.types().get(digest));
                    }
                });
        var tag = "/v2/" + repository + "/manifests/" + version;
        content.put(tag, root.bytes());
        types.put(tag, oci.types().get(root.digest()));
        return host() + "/" + repository + ":" + version;
    }

    /** Lets requests whose path contains the text be answered otherwise. */
    void misbehave(String part, Misbehaviour misbehaviour) {
        misbehaviours.put(part, misbehaviour);
    }

    void behave() {
        misbehaviours.clear();
    }

    long count(String part) {
        return requests.stream().filter(path -> path.contains(part)).count();
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            var path = exchange.getRequestURI().getPath();
            requests.add(path);
            var bytes = content.getOrDefault(path, new byte[0]);
            for (var entry : misbehaviours.entrySet()) {
                if (path.contains(entry.getKey()) && entry.getValue().answer(exchange, bytes)) {
                    return;
                }
            }
            if (!content.containsKey(path)) {
                exchange.sendResponseHeaders(404, -1);
                return;
            }
            exchange.getResponseHeaders().add("Content-Type", types.get(path));
            exchange.sendResponseHeaders(200, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
