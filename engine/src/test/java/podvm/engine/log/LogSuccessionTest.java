package podvm.engine.log;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.PodException;
import podvm.engine.Pods.Follow;
import podvm.engine.Pods.LogQuery;

class LogSuccessionTest {
    @TempDir Path directory;

    private static String line(int second, String text) {
        return "2026-01-01T00:00:%02d.000000000Z stdout F %s\n".formatted(second, text);
    }

    private List<String> read(Path... files) throws Exception {
        var lines = new ArrayList<String>();
        var all = List.of(files).stream().map(file -> new FileLogs.LogFile("c", file)).toList();
        FileLogs.read(
                () -> new FileLogs.Present(all, true),
                new LogQuery(Follow.YES, Optional.empty(), Optional.empty()),
                read -> lines.add(new String(read.text(), UTF_8)));
        return lines;
    }

    private void pack(String name, String text) throws Exception {
        try (var out = new GZIPOutputStream(Files.newOutputStream(directory.resolve(name)))) {
            out.write(text.getBytes(UTF_8));
        }
    }

    @Test
    void olderFilesAreReadFirstAndUnpackedWhereTheyArePacked() throws Exception {
        var log = directory.resolve("0.log");
        pack("0.log.20260101-000001.gz", line(1, "one"));
        Files.writeString(directory.resolve("0.log.20260101-000002"), line(2, "two"));
        Files.writeString(directory.resolve("0.log.20260101-000003.gz.tmp"), "half");
        Files.writeString(log, line(3, "three"));
        assertThat(read(log)).containsExactly("one", "two", "three");
    }

    @Test
    void logsOfSeveralAttemptsAreReadByTime() throws Exception {
        var zero = Files.writeString(directory.resolve("0.log"), line(1, "one") + line(4, "four"));
        var other = Files.writeString(directory.resolve("1.log"), line(2, "two"));
        assertThat(read(zero, other)).containsExactly("one", "two", "four");
        assertThat(read(directory.resolve("none/0.log"))).isEmpty();
    }

    @Test
    void aTornPackedFileIsToldAndNotTakenForTheEnd() throws Exception {
        pack("0.log.20260101-000001.gz", line(1, "one").repeat(1000));
        var packed = directory.resolve("0.log.20260101-000001.gz");
        var bytes = Files.readAllBytes(packed);
        Files.write(packed, java.util.Arrays.copyOf(bytes, bytes.length / 2));
        assertThatThrownBy(() -> read(directory.resolve("0.log")))
                .isInstanceOf(PodException.class)
                .hasMessageContaining("0.log.20260101-000001.gz");
    }
}
