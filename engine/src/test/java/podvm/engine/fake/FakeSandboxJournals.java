package podvm.engine.fake;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.SandboxId;
import podvm.engine.SandboxJournals;
import podvm.engine.SandboxRecord;

/** Records in memory. */
public final class FakeSandboxJournals implements SandboxJournals {
    private final Map<SandboxId, SandboxRecord> records = new LinkedHashMap<>();
    private boolean full;

    /** Whether writes fail from now on. */
    public synchronized void diskIsFull(boolean isFull) {
        full = isFull;
    }

    @Override
    public synchronized void write(SandboxRecord record) throws PodException {
        if (full) {
            throw new PodException(Kind.EXHAUSTED, "no space left for journals", "free some");
        }
        if (Thread.currentThread().isInterrupted()) {
            // as a FileChannel does it
            throw new PodException(Kind.CORRUPT, "the journal was closed by an interrupt", "");
        }
        records.put(record.id(), record);
    }

    @Override
    public synchronized List<SandboxRecord> readAll() {
        return List.copyOf(records.values());
    }

    @Override
    public synchronized void delete(SandboxId sandbox) {
        records.remove(sandbox);
    }
}
