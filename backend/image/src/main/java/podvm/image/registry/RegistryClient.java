package podvm.image.registry;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.image.Json;
import podvm.image.Refusal;

/**
 * Asks registries (OCI distribution specification), following redirects and fetching the anonymous
 * tokens that they demand.
 */
public final class RegistryClient implements AutoCloseable {
    private static final Duration CONNECT = Duration.ofSeconds(15);
    private static final Duration ANSWER = Duration.ofSeconds(60);
    private static final int MOST_REDIRECTS = 10;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final int LARGEST_TOKEN = 1 << 20;

    /** Redirects are followed here, since a token must not reach another host. */
    private final HttpClient http =
            HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .followRedirects(HttpClient.Redirect.NEVER)
                    .connectTimeout(CONNECT)
                    .executor(Executors.newVirtualThreadPerTaskExecutor())
                    .build();

    private final ScheduledExecutorService timer =
            Executors.newSingleThreadScheduledExecutor(
                    Thread.ofPlatform().daemon().name("registry deadlines").factory());

    /** The token that last opened a repository; a refused one is replaced. */
    private final Map<String, String> tokens = new ConcurrentHashMap<>();

    /** A successful answer, which the caller closes. */
    record Answer(InputStream body, HttpResponse<InputStream> response) implements AutoCloseable {
        Optional<String> header(String name) {
            return response.headers().firstValue(name);
        }

        @Override
        public void close() throws IOException {
            body.close();
        }
    }

    /**
     * @param repository whose token is to be used: host and path
     * @param what for messages: "manifest of docker.io/library/nginx:1"
     */
    Answer get(URI uri, String accept, String repository, String what, Deadline deadline)
            throws PodException, InterruptedException {
        var token = Optional.ofNullable(tokens.get(repository));
        var response = follow(uri, accept, token, deadline);
        if (response.statusCode() == 401) {
            var challenge = BearerChallenge.in(response.headers());
            discard(response);
            if (challenge.isEmpty()) {
                throw denied(uri, what);
            }
            var fresh = token(challenge.get(), what, deadline);
            tokens.put(repository, fresh);
            response = follow(uri, accept, Optional.of(fresh), deadline);
        }
        if (response.statusCode() != 200) {
            discard(response);
            throw failure(response, uri, what);
        }
        return new Answer(new Body(response.body(), host(uri), deadline, timer), response);
    }

    @Override
    public void close() {
        http.shutdownNow();
        timer.shutdownNow();
    }

    private HttpResponse<InputStream> follow(
            URI start, String accept, Optional<String> token, Deadline deadline)
            throws PodException, InterruptedException {
        var uri = start;
        for (int hop = 0; hop <= MOST_REDIRECTS; hop++) {
            boolean same = host(uri).equals(host(start));
            var response = send(uri, accept, same ? token : Optional.empty(), deadline);
            if (!REDIRECTS.contains(response.statusCode())) {
                return response;
            }
            discard(response);
            uri = target(uri, response);
        }
        throw unavailable(start, "it redirects more than %d times".formatted(MOST_REDIRECTS), null);
    }

    private HttpResponse<InputStream> send(
            URI uri, String accept, Optional<String> token, Deadline deadline)
            throws PodException, InterruptedException {
        deadline.check("asking " + host(uri));
        var left = deadline.left();
        var request =
                HttpRequest.newBuilder(uri)
                        .timeout(shorter(ANSWER, left))
                        .header("Accept", accept)
                        .header("User-Agent", "podvm");
        token.ifPresent(secret -> request.header("Authorization", "Bearer " + secret));
        try {
            return http.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
        } catch (HttpTimeoutException e) {
            if (left.compareTo(ANSWER) <= 0) {
                throw new PodException(
                        PodException.Kind.DEADLINE,
                        "timed out waiting for " + host(uri),
                        "allow more time",
                        e);
            }
            throw unavailable(uri, "it does not answer in time", e);
        } catch (IOException e) {
            throw unavailable(uri, cause(e), e);
        }
    }

    private String token(BearerChallenge challenge, String what, Deadline deadline)
            throws PodException, InterruptedException {
        var uri = challenge.tokenRequest();
        var response = follow(uri, "application/json", Optional.empty(), deadline);
        if (response.statusCode() != 200) {
            discard(response);
            throw response.statusCode() == 401 || response.statusCode() == 403
                    ? denied(uri, what)
                    : failure(response, uri, "token for " + what);
        }
        try (var body = new Body(response.body(), host(uri), deadline, timer)) {
            var answer = Json.parse(body.readNBytes(LARGEST_TOKEN), "token of " + host(uri));
            var token = Json.text(answer, "token");
            var found = token.isEmpty() ? Json.text(answer, "access_token") : token;
            if (found.isEmpty() || !found.chars().allMatch(c -> c > ' ' && c < 127)) {
                throw unavailable(uri, "it gives no token", null);
            }
            return found;
        } catch (IOException e) {
            throw unreadable(e, "fetch a token from " + host(uri));
        }
    }

    private static URI target(URI from, HttpResponse<InputStream> response) throws PodException {
        var location = response.headers().firstValue("Location").orElse("");
        try {
            var target = from.resolve(location);
            if (Endpoint.isSafe(target) && target.getHost() != null) {
                return target;
            }
        } catch (IllegalArgumentException e) {
            throw unavailable(from, "it redirects to '%s'".formatted(location), e);
        }
        throw unavailable(
                from, "it redirects to '%s', which is not HTTPS".formatted(location), null);
    }

    private static PodException failure(HttpResponse<InputStream> response, URI uri, String what) {
        return switch (response.statusCode()) {
            case 404 ->
                    new PodException(
                            PodException.Kind.NOT_FOUND,
                            "%s does not have the %s".formatted(host(uri), what),
                            "check the name");
            case 401, 403 -> denied(uri, what);
            case 429 ->
                    new PodException(
                            PodException.Kind.UNAVAILABLE,
                            "%s refuses the %s: too many requests".formatted(host(uri), what),
                            "try again later");
            default ->
                    new PodException(
                            PodException.Kind.UNAVAILABLE,
                            "%s answers %d when asked for the %s"
                                    .formatted(host(uri), response.statusCode(), what),
                            "try again later");
        };
    }

    private static PodException denied(URI uri, String what) {
        return new PodException(
                PodException.Kind.DENIED,
                "%s denies the %s to anonymous users".formatted(host(uri), what),
                "check the name; private images cannot be pulled yet");
    }

    /**
     * @param doing "read the manifest of …"
     */
    static PodException unreadable(IOException e, String doing) throws InterruptedException {
        if (e instanceof InterruptedIOException) {
            Thread.interrupted();
            var interrupted = new InterruptedException(doing);
            interrupted.initCause(e);
            throw interrupted;
        }
        if (e instanceof Refusal refusal) {
            var finding = refusal.finding();
            return new PodException(
                    finding.kind(),
                    "cannot %s: %s".formatted(doing, finding.getMessage()),
                    finding.remedy(),
                    finding);
        }
        return new PodException(
                PodException.Kind.UNAVAILABLE, "cannot %s: %s".formatted(doing, e), "try again", e);
    }

    private static PodException unavailable(URI uri, String why, @Nullable Throwable cause) {
        return new PodException(
                PodException.Kind.UNAVAILABLE,
                "cannot fetch from %s: %s".formatted(host(uri), why),
                "check the network and the name of the registry",
                cause);
    }

    /** The JDK's exceptions often have no message; their types tell. */
    private static String cause(IOException e) {
        var message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }

    private static void discard(HttpResponse<InputStream> response) throws PodException {
        try {
            response.body().close();
        } catch (IOException e) {
            throw unavailable(response.uri(), cause(e), e);
        }
    }

    private static String host(URI uri) {
        return uri.getRawAuthority();
    }

    private static Duration shorter(Duration one, Duration other) {
        // a timeout must not be zero
        var least = one.compareTo(other) < 0 ? one : other;
        return least.isZero() ? Duration.ofMillis(1) : least;
    }
}
