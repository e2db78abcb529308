package podvm.journal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.PodEvent;
import podvm.engine.SandboxBounds;

/** Files as earlier versions wrote them: an update of the daemon must not lose what runs. */
class OlderRecordsTest {
    private static final String ID = "40348148e65f13cacc0f63b974c5661f";

    @TempDir Path directory;

    private final List<PodEvent> events = new ArrayList<>();

    private void written(String fixture, String name) throws IOException {
        var home = Files.createDirectories(directory.resolve(ID));
        try (var text = OlderRecordsTest.class.getResourceAsStream("/" + fixture)) {
            Files.write(home.resolve(name), text.readAllBytes());
        }
    }

    @Test
    void aPodOfAnEarlierVersionIsReadAndWrittenAgain() throws Exception {
        written("older-pod.json", "pod.json");
        var journal = new JournalFiles(directory, events::add);

        var record = journal.readAll().getFirst();

        assertThat(events).isEmpty();
        assertThat(record.status().spec().containers().getFirst().resources().hugepages())
                .isEqualTo(Map.of());
        journal.write(record);
        assertThat(new JournalFiles(directory, events::add).readAll()).containsExactly(record);
    }

    @Test
    void aSandboxOfAnEarlierVersionIsReadAndWrittenAgain() throws Exception {
        written("older-sandbox.json", "sandbox.json");
        var journal = new SandboxJournalFiles(directory, events::add);

        var record = journal.readAll().getFirst();

        assertThat(events).isEmpty();
        assertThat(record.shares()).isEmpty();
        assertThat(record.bounds()).isEqualTo(SandboxBounds.NONE);
        assertThat(record.spec().limits().hugepages()).isEmpty();
        assertThat(record.spec().users()).isEqualTo(Optional.empty());
        assertThat(record.spec().group()).isEqualTo(Optional.empty());
        assertThat(record.realContainers().getFirst().user()).isEqualTo(Optional.empty());
        assertThat(record.realContainers().getFirst().config().logFile())
                .contains(Path.of("/var/log/pods/default_web_7d0c4e2a/main/0.log"));
        journal.write(record);
        assertThat(new SandboxJournalFiles(directory, events::add).readAll())
                .containsExactly(record);
    }
}
