package podvm.engine.fake;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.Journals;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodRecord;

/** Records in memory, logs in a directory. */
public final class FakeJournals implements Journals {
    private final Path directory;
    private final Map<PodId, PodRecord> records = new LinkedHashMap<>();
    private boolean full;

    public FakeJournals(Path directory) {
        this.directory = directory;
    }

    /** Whether writes fail from now on. */
    public synchronized void diskIsFull(boolean isFull) {
        full = isFull;
    }

    @Override
    public synchronized void write(PodRecord record) throws PodException {
        if (full) {
            throw new PodException(Kind.EXHAUSTED, "no space left for journals", "free some");
        }
        if (Thread.currentThread().isInterrupted()) {
            // as a FileChannel does it
            throw new PodException(Kind.CORRUPT, "the journal was closed by an interrupt", "");
        }
        try {
            Files.createDirectories(logs(record.id()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        records.put(record.id(), record);
    }

    @Override
    public synchronized List<PodRecord> readAll() {
        return List.copyOf(records.values());
    }

    public synchronized Optional<PodRecord> find(PodId pod) {
        return Optional.ofNullable(records.get(pod));
    }

    @Override
    public synchronized void delete(PodId pod) {
        records.remove(pod);
        var root = directory.resolve(pod.text());
        if (Files.exists(root)) {
            try (var files = Files.walk(root)) {
                for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    @Override
    public Path logs(PodId pod) {
        return directory.resolve(pod.text()).resolve("logs");
    }
}
