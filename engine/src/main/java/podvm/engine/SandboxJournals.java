package podvm.engine;

import java.util.List;

/** Keeps one small durable record per pod sandbox. */
public interface SandboxJournals {
    /** Returns when the record would survive a power cut. */
    void write(SandboxRecord record) throws PodException;

    /** All readable records; what cannot be read is set aside and never stops the daemon. */
    List<SandboxRecord> readAll() throws PodException;

    /** Succeeds when there is none. */
    void delete(SandboxId sandbox) throws PodException;
}
