package podvm.engine;

import org.jspecify.annotations.Nullable;

/**
 * The one checked error: something a caller can act on. The message says what failed and on which
 * thing, {@link #remedy} what to do next.
 */
public final class PodException extends Exception {
    /** What kind of failure it is, for exit codes, gRPC status codes and retries. */
    public enum Kind {
        /** What the caller gave is wrong. */
        INVALID,
        NOT_FOUND,
        ALREADY_EXISTS,
        /** The thing is not in a state that allows it. */
        CONFLICT,
        DENIED,
        /** A disk, memory or a limit is used up. */
        EXHAUSTED,
        /** Another party does not answer, or answers nonsense; trying again may help. */
        UNAVAILABLE,
        DEADLINE,
        /** Not honoured by this version or this kind of machine. */
        UNSUPPORTED,
        /** The machine or its VMM failed. */
        MACHINE,
        /** What was stored or sent does not match its checksum or form. */
        CORRUPT,
    }

    private final Kind kind;
    private final String remedy;

    public PodException(Kind kind, String message, String remedy) {
        this(kind, message, remedy, null);
    }

    public PodException(Kind kind, String message, String remedy, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
        this.remedy = remedy;
    }

    public Kind kind() {
        return kind;
    }

    /** What the user can do about it; may be empty. */
    public String remedy() {
        return remedy;
    }

    /** Message and remedy in one line, as shown to users. */
    public String describe() {
        return remedy.isEmpty() ? getMessage() : getMessage() + "; " + remedy;
    }

    @Override
    public String getMessage() {
        var message = super.getMessage();
        return message == null ? kind.name() : message;
    }
}
