package podvm.engine;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * One attempt to run a container, never used twice: 32 hex digits, or 64 where the container is
 * known to others by it.
 */
public record ContainerId(String text) {
    private static final Pattern ANY = Pattern.compile("[0-9a-f]{32}|[0-9a-f]{64}");
    private static final Pattern LONG = Pattern.compile("[0-9a-f]{64}");

    public static ContainerId random() {
        return new ContainerId(PodId.randomHex());
    }

    /** As long as the ids of other container runtimes. */
    public static ContainerId randomLong() {
        return new ContainerId(PodId.randomHex() + PodId.randomHex());
    }

    /** A container of a {@link Sandboxes}; other texts are the ids of none. */
    public static ContainerId parseLong(String text) throws PodException {
        if (!LONG.matcher(text).matches()) {
            throw new PodException(
                    PodException.Kind.NOT_FOUND,
                    "no such container: " + text,
                    "its id has 64 hex digits, as crictl ps -a --no-trunc shows them");
        }
        return new ContainerId(text);
    }

    /** Empty where a text cannot be one: for what guests say. */
    public static Optional<ContainerId> of(String text) {
        return ANY.matcher(text).matches() ? Optional.of(new ContainerId(text)) : Optional.empty();
    }

    public String brief() {
        return text.substring(0, 12);
    }

    @Override
    public String toString() {
        return text;
    }
}
