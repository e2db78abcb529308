package podvm.image.content;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import podvm.engine.PodException;

/** Says in the engine's words why something could not be read. */
public final class ReadFailure {
    private ReadFailure() {}

    /**
     * @param doing "read the manifest of …"
     */
    public static PodException of(IOException e, String doing) throws InterruptedException {
        tellInterrupt(e, doing);
        if (e instanceof Refusal refusal) {
            return named(refusal, doing);
        }
        return new PodException(
                PodException.Kind.UNAVAILABLE, "cannot %s: %s".formatted(doing, e), "try again", e);
    }

    /** Streams tell an interrupt by exceptions of theirs. */
    public static void tellInterrupt(IOException e, String doing) throws InterruptedException {
        if (e instanceof ClosedByInterruptException || e instanceof InterruptedIOException) {
            Thread.interrupted();
            var interrupted = new InterruptedException(doing);
            interrupted.initCause(e);
            throw interrupted;
        }
    }

    public static PodException named(Refusal refusal, String doing) {
        var finding = refusal.finding();
        return new PodException(
                finding.kind(),
                "cannot %s: %s".formatted(doing, finding.getMessage()),
                finding.remedy(),
                finding);
    }
}
