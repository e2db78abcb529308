package podvm.engine;

import java.nio.file.Path;
import java.util.List;

/** Keeps one small durable record per pod. */
public interface Journals {
    /** Returns when the record would survive a power cut. */
    void write(PodRecord record) throws PodException;

    /**
     * All readable records; what cannot be read is set aside under another name, with an event, and
     * never stops the daemon.
     */
    List<PodRecord> readAll() throws PodException;

    /** Removes the record and all else that was kept for the pod, logs included. */
    void delete(PodId pod) throws PodException;

    /** Directory for the pod's logs; exists after the first {@link #write}. */
    Path logs(PodId pod);
}
