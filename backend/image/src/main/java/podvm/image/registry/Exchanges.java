package podvm.image.registry;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import javax.net.ssl.SSLException;
import podvm.engine.Deadline;
import podvm.engine.PodException;

/** Sends requests, follows redirects, and asks again where that may help. */
final class Exchanges implements AutoCloseable {
    private static final int MOST_REDIRECTS = 10;
    private static final Set<Integer> REDIRECTS = Set.of(301, 302, 303, 307, 308);
    private static final Set<Integer> PASSING = Set.of(408, 429, 500, 502, 503, 504);

    private final HttpClients clients;
    private final RegistryOptions.Patience patience;
    private final ScheduledThreadPoolExecutor timer =
            new ScheduledThreadPoolExecutor(
                    1, Thread.ofPlatform().daemon().name("registry deadlines").factory());

    Exchanges(HttpClients clients, RegistryOptions.Patience patience) {
        this.clients = clients;
        this.patience = patience;
        // else the buffers of what has long been read would wait with it
        timer.setRemoveOnCancelPolicy(true);
    }

    /**
     * @param host how it is reached
     * @param headers sent to this host alone
     * @param login an Authorization header, sent to this host alone
     * @param form posted; empty: GET
     * @param range the rest of a blob
     */
    record Request(
            RegistryHost host,
            URI uri,
            String accept,
            Map<String, List<String>> headers,
            Optional<String> login,
            Optional<String> form,
            Optional<Range> range) {
        Request with(Optional<String> other) {
            return new Request(host, uri, accept, headers, other, form, range);
        }
    }

    /**
     * @param tag of the content that has been read so far
     */
    record Range(long from, Optional<String> tag) {}

    /** What may go better next time. */
    static final class Passing extends IOException {
        private static final long serialVersionUID = 1;
        private final PodException failure;

        Passing(PodException failure) {
            super(failure.getMessage(), failure);
            this.failure = failure;
        }
    }

    interface Attempt {
        Answer run() throws PodException, InterruptedException, Passing;
    }

    /** Tries again after failures that pass, as long as the server's wishes can be met. */
    Answer patiently(Attempt attempt, Deadline deadline) throws PodException, InterruptedException {
        return patiently(patience.tries(), attempt, deadline);
    }

    Answer patiently(int tries, Attempt attempt, Deadline deadline)
            throws PodException, InterruptedException {
        for (int tried = 1; ; tried++) {
            Optional<Answer> refused = Optional.empty();
            Optional<PodException> failure = Optional.empty();
            try {
                var answer = attempt.run();
                if (!PASSING.contains(answer.status())) {
                    return answer;
                }
                refused = Optional.of(answer);
            } catch (Passing e) {
                failure = Optional.of(e.failure);
            }
            var wished = refused.flatMap(it -> RetryAfter.in(it.headers(), Instant.now()));
            var pause = wished.orElse(pause(tried));
            boolean enough =
                    tried >= tries
                            || pause.compareTo(patience.longestPause()) > 0
                            || pause.compareTo(deadline.left()) >= 0;
            if (enough) {
                if (refused.isPresent()) {
                    return refused.get();
                }
                throw failure.orElseThrow();
            }
            refused.ifPresent(Answer::discard);
            Thread.sleep(pause);
        }
    }

    /** Doubled each time and then between half and all of it, so that many do not come at once. */
    Duration pause(int tried) {
        long most =
                Math.min(
                        patience.longestPause().toMillis(),
                        patience.firstPause().toMillis() << Math.min(tried - 1, 20));
        return Duration.ofMillis(most / 2 + ThreadLocalRandom.current().nextLong(most / 2 + 1));
    }

    int tries() {
        return patience.tries();
    }

    /** One answer, redirects followed. */
    Answer ask(Request request, Deadline deadline)
            throws PodException, InterruptedException, Passing {
        var uri = request.uri();
        for (int hop = 0; hop <= MOST_REDIRECTS; hop++) {
            var answer = send(request, uri, deadline);
            if (!REDIRECTS.contains(answer.status())) {
                return answer;
            }
            answer.discard();
            uri = target(uri, answer.header("Location").orElse(""));
        }
        throw Failures.unavailable(
                request.uri().getRawAuthority(),
                "it redirects more than %d times".formatted(MOST_REDIRECTS),
                null);
    }

    @Override
    public void close() {
        clients.close();
        timer.shutdownNow();
    }

    private Answer send(Request request, URI uri, Deadline deadline)
            throws PodException, InterruptedException, Passing {
        var host = uri.getRawAuthority();
        deadline.check("asking " + host);
        var left = deadline.left();
        var client = clients.of(request.host());
        try {
            var response =
                    client.send(
                            message(request, uri, left), HttpResponse.BodyHandlers.ofInputStream());
            return new Answer(
                    response.statusCode(),
                    response.headers(),
                    new Body(
                            // the JDK gives none where a proxy refuses to lead on
                            Optional.ofNullable(response.body())
                                    .orElseGet(InputStream::nullInputStream),
                            host,
                            deadline,
                            patience.idle(),
                            timer),
                    uri);
        } catch (HttpTimeoutException e) {
            if (left.compareTo(patience.answer()) <= 0 && deadline.passed()) {
                throw Failures.late(host, e);
            }
            var late = Failures.unavailable(host, "it does not answer in time", e);
            if (e instanceof HttpConnectTimeoutException) {
                throw late;
            }
            throw new Passing(late);
        } catch (ConnectException e) {
            throw Failures.unavailable(host, through(request, uri) + Failures.cause(e), e);
        } catch (SSLException e) {
            throw new PodException(
                    PodException.Kind.UNAVAILABLE,
                    "cannot speak TLS with %s: %s".formatted(host, Failures.cause(e)),
                    "name its CA certificate in hosts.toml; see docs/howto/registries.md",
                    e);
        } catch (IOException e) {
            throw new Passing(
                    Failures.unavailable(host, through(request, uri) + Failures.cause(e), e));
        } catch (IllegalArgumentException e) {
            throw new PodException(
                    PodException.Kind.INVALID,
                    "cannot ask %s: %s".formatted(host, Failures.cause(e)),
                    "check the headers and addresses in hosts.toml",
                    e);
        }
    }

    private HttpRequest message(Request request, URI uri, Duration left) {
        var message =
                HttpRequest.newBuilder(uri)
                        .timeout(shorter(patience.answer(), left))
                        .header("Accept", request.accept())
                        .header("User-Agent", "podvm");
        if (Origins.same(uri, request.uri())) {
            request.headers()
                    .forEach(
                            (name, values) -> values.forEach(value -> message.header(name, value)));
            request.login().ifPresent(login -> message.header("Authorization", login));
        }
        clients.proxy(request.host(), uri)
                .flatMap(ProxyAddress::login)
                .ifPresent(login -> message.header("Proxy-Authorization", login));
        request.range()
                .ifPresent(range -> {
                    message.header("Range", "bytes=%d-".formatted(range.from()));
                    range.tag().ifPresent(tag -> message.header("If-Range", tag));
                });
        request.form()
                .ifPresent(form ->
                        message.header("Content-Type", "application/x-www-form-urlencoded")
                                .POST(HttpRequest.BodyPublishers.ofString(form)));
        return message.build();
    }

    private String through(Request request, URI uri) {
        return clients.proxy(request.host(), uri)
                .map(proxy -> "through proxy %s: ".formatted(proxy))
                .orElse("");
    }

    private static URI target(URI from, String location) throws PodException {
        try {
            var target = from.resolve(location);
            if (Origins.mayLead(from, target)) {
                return target;
            }
        } catch (IllegalArgumentException e) {
            throw wrongWay(from, location);
        }
        throw wrongWay(from, location);
    }

    private static PodException wrongWay(URI from, String location) {
        return Failures.unavailable(
                from.getRawAuthority(),
                "it redirects to '%s', which is not HTTPS".formatted(Messages.shown(location)),
                null);
    }

    private static Duration shorter(Duration one, Duration other) {
        // a timeout must not be zero
        var least = one.compareTo(other) < 0 ? one : other;
        return least.isZero() ? Duration.ofMillis(1) : least;
    }
}
