package podvm.image;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.Signature;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.stream.Collectors;

/** Signs tokens that docker-registry believes (ES256, the certificate within). */
final class FakeTokenService implements AutoCloseable {
    static final String ISSUER = "test issuer";
    static final String SERVICE = "test registry";
    static final String IDENTITY = "identity-token";

    /** docker-registry goes on believing a token for so long after its end. */
    private static final int LEEWAY_SECONDS = 60;

    private final HttpServer server;
    private final PrivateKey key;
    private final String certificate;
    private final String login;
    private volatile int lifeSeconds = 60;
    private volatile int toldSeconds = 60;

    /** "GET repository:team/app:pull" of each request that got a token. */
    final List<String> given = new CopyOnWriteArrayList<>();

    FakeTokenService(Certificates certificates, String user, String password) throws Exception {
        certificates.issue("tokens", "dns:tokens");
        this.key = certificates.key("tokens");
        this.certificate =
                Base64.getEncoder().encodeToString(certificates.certificate("tokens").getEncoded());
        this.login =
                "Basic " + Base64.getEncoder().encodeToString(OciBytes.utf(user + ":" + password));
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.createContext("/token", this::serve);
        server.start();
    }

    String realm() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/token";
    }

    /**
     * @param life of a token
     * @param told to its user
     */
    void lasting(int life, int told) {
        lifeSeconds = life;
        toldSeconds = told;
    }

    private void serve(HttpExchange exchange) throws IOException {
        try (exchange) {
            boolean posted = exchange.getRequestMethod().equals("POST");
            var form =
                    posted
                            ? new String(
                                    exchange.getRequestBody().readAllBytes(),
                                    StandardCharsets.UTF_8)
                            : exchange.getRequestURI().getRawQuery();
            var fields = fields(form);
            var sent = exchange.getRequestHeaders().getFirst("Authorization");
            boolean known =
                    posted ? IDENTITY.equals(fields.get("refresh_token")) : login.equals(sent);
            if (!known || !SERVICE.equals(fields.get("service"))) {
                var complaint = OciBytes.utf("{\"details\":\"who are you\"}");
                exchange.sendResponseHeaders(401, complaint.length);
                exchange.getResponseBody().write(complaint);
                return;
            }
            given.add(exchange.getRequestMethod() + " " + fields.get("scope"));
            var answer =
                    OciBytes.utf(
                            "{\"%s\":\"%s\",\"expires_in\":%d}"
                                    .formatted(
                                            posted ? "access_token" : "token",
                                            token(fields.getOrDefault("scope", "")),
                                            toldSeconds));
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
        } catch (GeneralSecurityException e) {
            throw new IOException(e);
        }
    }

    private String token(String scope) throws GeneralSecurityException {
        long now = Instant.now().getEpochSecond();
        var parts = scope.split(":");
        var access =
                parts.length < 3
                        ? ""
                        : "{\"type\":\"repository\",\"name\":\"%s\",\"actions\":[%s]}"
                                .formatted(
                                        parts[1],
                                        Arrays.stream(parts[2].split(","))
                                                .map(action -> "\"" + action + "\"")
                                                .collect(Collectors.joining(",")));
        var header = "{\"typ\":\"JWT\",\"alg\":\"ES256\",\"x5c\":[\"" + certificate + "\"]}";
        var claims =
                """
                {"iss":"%s","sub":"me","aud":"%s","exp":%d,"nbf":%d,"iat":%d,"jti":"%d",\
                "access":[%s]}\
                """
                        .formatted(
                                ISSUER,
                                SERVICE,
                                now + lifeSeconds - LEEWAY_SECONDS,
                                now - 600,
                                now - 600,
                                System.nanoTime(),
                                access);
        var signed = encoded(OciBytes.utf(header)) + "." + encoded(OciBytes.utf(claims));
        var signature = Signature.getInstance("SHA256withECDSAinP1363Format");
        signature.initSign(key);
        signature.update(OciBytes.utf(signed));
        return signed + "." + encoded(signature.sign());
    }

    private static String encoded(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static Map<String, String> fields(String form) {
        var fields = new HashMap<String, String>();
        for (var field : form.split("&")) {
            var pair = field.split("=", 2);
            fields.put(pair[0], URLDecoder.decode(pair[1], StandardCharsets.UTF_8));
        }
        return fields;
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
