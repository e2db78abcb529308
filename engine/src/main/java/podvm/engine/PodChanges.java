package podvm.engine;

import java.io.IOException;
import java.time.Instant;
import java.util.Optional;

/**
 * What happened to the pods of this node: the newest of it, and of pods that an earlier daemon left
 * what their journal tells.
 */
public interface PodChanges {
    /**
     * Hands over what is known, by time, and with follow what comes, until the reader fails or is
     * interrupted.
     */
    void read(boolean follow, Optional<Instant> since, Reader reader) throws InterruptedException;

    /** An IOException (the client went away) ends the reading quietly. */
    interface Reader {
        void change(PodChange change) throws IOException;

        /** So many were forgotten before this reader took them. */
        void lost(long count) throws IOException;
    }
}
