package podvm.cri.streaming;

import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * What was promised to clients that have not come yet. A token is the only proof a client brings,
 * so it cannot be guessed, serves once and not for long: a minute, as with other runtimes.
 */
final class Tokens {
    static final Duration LIFE = Duration.ofMinutes(1);
    static final int MOST = 1000;
    private static final int BYTES = 18;

    private final SecureRandom random = new SecureRandom();
    private final Map<String, Promise> promises = new LinkedHashMap<>();
    private final LongSupplier nanoTime;

    private record Promise(Destination destination, long until) {}

    Tokens(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    synchronized String add(Destination destination) throws PodException {
        forgetOld();
        if (promises.size() >= MOST) {
            throw new PodException(
                    Kind.EXHAUSTED,
                    "%d streams were asked for and not fetched within a minute".formatted(MOST),
                    "try again in a minute");
        }
        var bytes = new byte[BYTES];
        random.nextBytes(bytes);
        var token = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        promises.put(token, new Promise(destination, nanoTime.getAsLong() + LIFE.toNanos()));
        return token;
    }

    synchronized Optional<Destination> take(String token) {
        forgetOld();
        return Optional.ofNullable(promises.remove(token)).map(Promise::destination);
    }

    private void forgetOld() {
        long now = nanoTime.getAsLong();
        promises.values().removeIf(promise -> promise.until() - now <= 0);
    }
}
