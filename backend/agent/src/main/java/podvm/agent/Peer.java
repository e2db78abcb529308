package podvm.agent;

import io.grpc.Status;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** The agent at the other end, as errors name it. */
record Peer(Path address) {
    private static final String LOOK_AT_CONSOLE = "look at the end of the machine's console log";

    /**
     * @param what the action that failed, as in "start container 0123"
     */
    PodException failure(String what, Status status) {
        var kind = kind(status.getCode());
        var told = status.getDescription() == null ? "" : GuestText.clean(status.getDescription());
        return switch (status.getCode()) {
            case UNAVAILABLE, CANCELLED -> lost(what, status.getCause());
            case DEADLINE_EXCEEDED ->
                    new PodException(
                            kind,
                            "cannot " + what + ": agent at " + address + " did not answer in time",
                            LOOK_AT_CONSOLE,
                            status.getCause());
            default ->
                    new PodException(
                            kind,
                            "cannot " + what + ": " + (told.isEmpty() ? status.getCode() : told),
                            kind == Kind.MACHINE ? LOOK_AT_CONSOLE : "",
                            status.getCause());
        };
    }

    PodException lost(String what, @Nullable Throwable cause) {
        return new PodException(
                Kind.MACHINE,
                "cannot " + what + ": the connection to the agent at " + address + " was lost",
                LOOK_AT_CONSOLE,
                cause);
    }

    PodException corrupt(String what, String detail) {
        return new PodException(
                Kind.CORRUPT,
                "cannot " + what + ": agent at " + address + " sent " + detail,
                "delete the pod: its guest does not behave");
    }

    private static Kind kind(Status.Code code) {
        return switch (code) {
            case INVALID_ARGUMENT, OUT_OF_RANGE -> Kind.INVALID;
            case NOT_FOUND -> Kind.NOT_FOUND;
            case ALREADY_EXISTS -> Kind.ALREADY_EXISTS;
            case FAILED_PRECONDITION, ABORTED -> Kind.CONFLICT;
            case PERMISSION_DENIED, UNAUTHENTICATED -> Kind.DENIED;
            case RESOURCE_EXHAUSTED -> Kind.EXHAUSTED;
            case DEADLINE_EXCEEDED -> Kind.DEADLINE;
            case UNIMPLEMENTED -> Kind.UNSUPPORTED;
            case DATA_LOSS -> Kind.CORRUPT;
            case OK, CANCELLED, UNKNOWN, INTERNAL, UNAVAILABLE -> Kind.MACHINE;
        };
    }
}
