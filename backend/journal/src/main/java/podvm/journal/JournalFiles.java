package podvm.journal;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import podvm.engine.Journals;
import podvm.engine.PodEvent;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.PodRecord;

/** Records of pods in {@code <directory>/<pod id>/pod.json}, beside the pods' logs. */
public final class JournalFiles implements Journals {
    private final RecordDirectory<PodRecord> records;

    /**
     * @param directory exists and belongs to this daemon alone
     */
    public JournalFiles(Path directory, PodEvent.Listener events) {
        this.records =
                new RecordDirectory<>(
                        directory,
                        RecordDirectory.POD,
                        PodRecord.class,
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
    public void write(PodRecord record) throws PodException {
        records.write(record.id().text(), "pod " + record.id().brief(), record);
    }

    @Override
    public List<PodRecord> readAll() throws PodException {
        return records.readAll();
    }

    @Override
    public void delete(PodId pod) throws PodException {
        records.delete(pod.text());
    }

    @Override
    public Path logs(PodId pod) {
        return records.home(pod.text()).resolve("logs");
    }
}
