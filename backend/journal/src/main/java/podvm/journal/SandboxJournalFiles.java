package podvm.journal;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import podvm.engine.PodEvent;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.SandboxId;
import podvm.engine.SandboxJournals;
import podvm.engine.SandboxRecord;

/** Records of pod sandboxes in {@code <directory>/<pod id>/sandbox.json}. */
public final class SandboxJournalFiles implements SandboxJournals {
    private final RecordDirectory<SandboxRecord> records;

    /**
     * @param directory that of {@link JournalFiles}
     */
    public SandboxJournalFiles(Path directory, PodEvent.Listener events) {
        this.records =
                new RecordDirectory<>(
                        directory,
                        RecordDirectory.SANDBOX,
                        SandboxRecord.class,
                        (id, file, why) ->
                                events.on(
                                        new PodEvent(
                                                Instant.now(),
                                                PodId.parse(id),
                                                "",
                                                PodEvent.Severity.WARNING,
                                                "JournalUnreadable",
                                                "set aside as " + file + ": " + why)));
    }

    @Override
    public void write(SandboxRecord record) throws PodException {
        records.write(record.id().pod().text(), "pod sandbox " + record.spec().metadata(), record);
    }

    @Override
    public List<SandboxRecord> readAll() throws PodException {
        return records.readAll();
    }

    @Override
    public void delete(SandboxId sandbox) throws PodException {
        records.delete(sandbox.pod().text());
    }
}
