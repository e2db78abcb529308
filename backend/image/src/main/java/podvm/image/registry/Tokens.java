package podvm.image.registry;

import java.net.URI;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import podvm.engine.Credentials;
import podvm.engine.Deadline;
import podvm.engine.PodException;

/** Tokens that are still good, one per service, scope and user. */
final class Tokens {
    /** What a service means that does not say how long (Docker's token specification). */
    static final Duration USUAL_LIFE = Duration.ofSeconds(60);

    private static final int MOST = 1000;

    private final Map<Grant, ReentrantLock> locks = new ConcurrentHashMap<>();
    private final Map<Grant, Token> tokens = new HashMap<>();

    /** What a token is for. */
    record Grant(URI realm, String service, String scope, Credentials credentials) {}

    /**
     * @param end when it must not be used any longer
     */
    record Token(String text, Deadline end) {
        static Token lasting(String text, Duration life) {
            // better a token too many than one that expires on its way
            return new Token(text, Deadline.after(life.multipliedBy(9).dividedBy(10)));
        }

        @Override
        public String toString() {
            return "a token";
        }
    }

    interface Service {
        Token fetch(Grant grant, Deadline deadline) throws PodException, InterruptedException;
    }

    /**
     * A token for this, fetched once however many ask for it.
     *
     * @param refused the text of one that the registry does not take, though it may seem good
     */
    Token get(Grant grant, @Nullable String refused, Service service, Deadline deadline)
            throws PodException, InterruptedException {
        var lock = locks.computeIfAbsent(grant, _ -> new ReentrantLock());
        if (!lock.tryLock(deadline.leftMillis(), TimeUnit.MILLISECONDS)) {
            throw new PodException(
                    PodException.Kind.DEADLINE,
                    "timed out waiting for a token of " + grant.realm().getRawAuthority(),
                    "allow more time");
        }
        try {
            var known = known(grant);
            if (known.isPresent() && !known.get().text().equals(refused)) {
                return known.get();
            }
            var fresh = service.fetch(grant, deadline);
            keep(grant, fresh);
            return fresh;
        } finally {
            lock.unlock();
        }
    }

    private synchronized Optional<Token> known(Grant grant) {
        return Optional.ofNullable(tokens.get(grant)).filter(token -> !token.end().passed());
    }

    private synchronized void keep(Grant grant, Token token) {
        if (tokens.size() >= MOST) {
            tokens.values().removeIf(old -> old.end().passed());
            locks.keySet().removeIf(old -> !tokens.containsKey(old) && !old.equals(grant));
        }
        tokens.put(grant, token);
    }
}
