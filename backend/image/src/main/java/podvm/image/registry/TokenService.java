package podvm.image.registry;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import podvm.engine.Credentials;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.image.content.Json;
import podvm.image.content.ReadFailure;

/**
 * Asks for tokens: with a password or without anything by GET (Docker's "Token Authentication
 * Specification"), with an identity token by POST (its OAuth 2 form).
 *
 * @param host whose way of being reached counts for its token service, too
 */
record TokenService(Exchanges exchanges, RegistryHost host) implements Tokens.Service {
    private static final int LARGEST_ANSWER = 1 << 20;
    private static final long LONGEST_LIFE_SECONDS = 86_400;

    @Override
    public Tokens.Token fetch(Tokens.Grant grant, Deadline deadline)
            throws PodException, InterruptedException {
        var what = "token for " + grant.scope();
        try (var answer =
                exchanges.patiently(() -> exchanges.ask(request(grant), deadline), deadline)) {
            if (answer.status() == 400 || answer.status() == 401 || answer.status() == 403) {
                throw denied(grant, answer.complaint());
            }
            if (answer.status() != 200) {
                throw Failures.of(answer, grant.realm().getRawAuthority(), what);
            }
            return token(answer.body().readNBytes(LARGEST_ANSWER), grant);
        } catch (IOException e) {
            throw ReadFailure.of(e, "read the " + what);
        }
    }

    private Exchanges.Request request(Tokens.Grant grant) {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("service", grant.service());
        return switch (grant.credentials()) {
            case Credentials.IdentityToken(var token) -> {
                fields.put("client_id", "podvm");
                fields.put("grant_type", "refresh_token");
                fields.put("refresh_token", token);
                fields.put("scope", grant.scope());
                yield request(grant.realm(), Optional.empty(), Optional.of(form(fields)));
            }
            case Credentials.Password password -> {
                fields.put("account", password.user());
                fields.put("scope", grant.scope());
                yield request(
                        query(grant.realm(), fields),
                        Optional.of(Login.basic(password)),
                        Optional.empty());
            }
            case Credentials.Anonymous _, Credentials.RegistryToken _ -> {
                fields.put("scope", grant.scope());
                yield request(query(grant.realm(), fields), Optional.empty(), Optional.empty());
            }
        };
    }

    /** Headers configured for the registry are not for whoever hands out its tokens. */
    private Exchanges.Request request(URI uri, Optional<String> login, Optional<String> form) {
        return new Exchanges.Request(
                host, uri, "application/json", Map.of(), login, form, Optional.empty());
    }

    private static Tokens.Token token(byte[] answer, Tokens.Grant grant) throws PodException {
        var host = grant.realm().getRawAuthority();
        var node = Json.parse(answer, "token of " + host);
        var token = Json.text(node, "token");
        var text = token.isEmpty() ? Json.text(node, "access_token") : token;
        if (text.isEmpty() || !text.chars().allMatch(c -> c > ' ' && c < 127)) {
            throw Failures.unavailable(host, "it gives no token", null);
        }
        long seconds = node.path("expires_in").asLong(Tokens.USUAL_LIFE.toSeconds());
        var life = Duration.ofSeconds(Math.clamp(seconds, 0, LONGEST_LIFE_SECONDS));
        return Tokens.Token.lasting(text, life);
    }

    private PodException denied(Tokens.Grant grant, String complaint) {
        boolean anonymous = grant.credentials() instanceof Credentials.Anonymous;
        return new PodException(
                PodException.Kind.DENIED,
                "%s gives no token for %s to %s%s"
                        .formatted(
                                grant.realm().getRawAuthority(),
                                grant.scope(),
                                anonymous ? "anonymous users" : grant.credentials(),
                                complaint.isEmpty() ? "" : ": " + complaint),
                anonymous
                        ? "check the name; for a private image log in, as with 'docker login %s'"
                                .formatted(host.name())
                        : "check the name, the password and what the user may read");
    }

    private static URI query(URI realm, Map<String, String> fields) {
        var joint = realm.getRawQuery() == null ? "?" : "&";
        return URI.create(realm + joint + form(fields));
    }

    private static String form(Map<String, String> fields) {
        return fields.entrySet().stream()
                .filter(field -> !field.getValue().isEmpty())
                .map(field -> field.getKey() + "=" + encoded(field.getValue()))
                .collect(Collectors.joining("&"));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
