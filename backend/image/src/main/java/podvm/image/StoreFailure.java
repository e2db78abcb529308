package podvm.image;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Path;
import podvm.engine.PodException;
import podvm.image.content.ReadFailure;
import podvm.image.content.Refusal;

/** Says in the engine's words what went wrong in the store. */
final class StoreFailure {
    private StoreFailure() {}

    /**
     * @param doing "write layer sha256:…"
     */
    static PodException of(IOException e, String doing, Path directory)
            throws InterruptedException {
        ReadFailure.tellInterrupt(e, doing);
        return ofFiles(e, doing, directory);
    }

    /** For short work that nobody interrupts. */
    static PodException ofFiles(IOException e, String doing, Path directory) {
        if (e instanceof Refusal refusal) {
            return ReadFailure.named(refusal, doing);
        }
        if (isDiskFull(e)) {
            return new PodException(
                    PodException.Kind.EXHAUSTED,
                    "cannot %s: no space left in %s".formatted(doing, directory),
                    "remove images or make room",
                    e);
        }
        if (e instanceof AccessDeniedException) {
            return new PodException(
                    PodException.Kind.DENIED,
                    "cannot %s in %s: permission denied".formatted(doing, directory),
                    "let this user write there",
                    e);
        }
        return new PodException(
                PodException.Kind.UNAVAILABLE,
                "cannot %s in %s: %s".formatted(doing, directory, e),
                "check the file system",
                e);
    }

    /** The JDK gives no other sign of ENOSPC and EDQUOT than their texts. */
    private static boolean isDiskFull(IOException e) {
        var text = String.valueOf(e.getMessage());
        return text.contains("No space left on device") || text.contains("Disk quota exceeded");
    }
}
