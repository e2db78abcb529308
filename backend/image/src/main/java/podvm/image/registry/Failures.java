package podvm.image.registry;

import org.jspecify.annotations.Nullable;
import podvm.engine.PodException;

/** Says in the engine's words what went wrong with a server. */
final class Failures {
    private Failures() {}

    /**
     * Of an answer that is not what was asked for.
     *
     * @param what "manifest of docker.io/library/nginx:1"
     */
    static PodException of(Answer answer, String host, String what) {
        var complaint = answer.complaint();
        var more = complaint.isEmpty() ? "" : ": " + complaint;
        return switch (answer.status()) {
            case 404 ->
                    new PodException(
                            PodException.Kind.NOT_FOUND,
                            "%s does not have the %s%s".formatted(host, what, more),
                            "check the name");
            case 407 ->
                    new PodException(
                            PodException.Kind.DENIED,
                            "the proxy before %s wants a login".formatted(host),
                            "give user and password in the proxy's address");
            case 429 ->
                    new PodException(
                            PodException.Kind.UNAVAILABLE,
                            "%s refuses the %s: too many requests%s".formatted(host, what, more),
                            "try again later, or log in");
            default ->
                    new PodException(
                            PodException.Kind.UNAVAILABLE,
                            "%s answers %d when asked for the %s%s"
                                    .formatted(host, answer.status(), what, more),
                            "try again later");
        };
    }

    static PodException unavailable(String host, String why, @Nullable Throwable cause) {
        return new PodException(
                PodException.Kind.UNAVAILABLE,
                "cannot fetch from %s: %s".formatted(host, why),
                "check the network and the name of the registry",
                cause);
    }

    static PodException late(String host, @Nullable Throwable cause) {
        return new PodException(
                PodException.Kind.DEADLINE,
                "timed out waiting for " + host,
                "allow more time",
                cause);
    }

    /** The JDK's exceptions often have no message; their types tell. */
    static String cause(Throwable e) {
        var message = e.getMessage();
        return message == null ? e.getClass().getSimpleName() : message;
    }
}
