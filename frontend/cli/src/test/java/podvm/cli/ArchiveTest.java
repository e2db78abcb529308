package podvm.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ArchiveTest {
    @TempDir private Path directory;

    private static TarHeader file(String name, long size, int uid) {
        return new TarHeader(name, '0', "", 0640, uid, 7, size, 1_000_000_000_000_000_000L);
    }

    private static List<TarHeader> read(byte[] archive) throws Exception {
        var in = new ByteArrayInputStream(archive);
        var reader = new TarReader(in);
        var all = new ArrayList<TarHeader>();
        for (var next = reader.next(); next.isPresent(); next = reader.next()) {
            all.add(next.get());
            in.skipNBytes(next.get().size());
            reader.skipPadding(next.get().size());
        }
        return all;
    }

    private static byte[] archive(List<TarHeader> headers) throws Exception {
        var out = new ByteArrayOutputStream();
        for (var header : headers) {
            header.write(out);
            out.write(new byte[(int) header.size()]);
            TarHeader.pad(out, header.size());
        }
        out.write(new byte[2 * TarHeader.BLOCK]);
        return out.toByteArray();
    }

    private static List<TarHeader> all() {
        return List.of(
                new TarHeader("d/", '5', "", 0755, 0, 0, 0, 0),
                file("d/" + "long-name/".repeat(30) + "ünicode", 700, 3_000_000),
                new TarHeader("d/l", '2', "../" + "x".repeat(200), 0777, 1, 2, 0, 0),
                new TarHeader("d/h", '1', "d/a", 0640, 1, 2, 0, 0),
                new TarHeader("d/p", '6', "", 0640, 1, 2, 0, 0));
    }

    @Test
    void whatIsWrittenIsReadBack() throws Exception {
        assertThat(read(archive(all()))).isEqualTo(all());
    }

    @Test
    void tarReadsWhatIsWrittenAndItsOwnFormatsAreRead() throws Exception {
        boolean tar = Files.isExecutable(Path.of("/bin/tar"));
        if (!tar) {
            System.out.println("skipped: no tar here");
        }
        assumeTrue(tar, "no tar here");
        Files.write(directory.resolve("ours.tar"), archive(all()));
        assertThat(run("tar", "tf", "ours.tar").lines().toList())
                .startsWith("d/", "d/" + "long-name/".repeat(30) + "ünicode")
                .hasSize(5);
        var name = "b".repeat(120);
        Files.writeString(directory.resolve(name), "text");
        for (var format : List.of("gnu", "pax", "v7")) {
            var given = format.equals("v7") ? "ours.tar" : name;
            run("tar", "cf", "theirs.tar", "--format=" + format, given);
            assertThat(read(Files.readAllBytes(directory.resolve("theirs.tar"))))
                    .as(format)
                    .singleElement()
                    .satisfies(one -> assertThat(one.name()).isEqualTo(given));
        }
    }

    private String run(String... command) throws Exception {
        var process = new ProcessBuilder(command).directory(directory.toFile());
        process.environment().put("LC_ALL", "C.UTF-8");
        var started = process.redirectErrorStream(true).start();
        var text = new String(started.getInputStream().readAllBytes(), UTF_8);
        assertThat(started.waitFor()).as(text).isZero();
        return text;
    }

    @Test
    void whatIsNoArchiveIsSaidToBeNone() {
        assertThatThrownBy(() -> read("no archive".repeat(100).getBytes(UTF_8)))
                .isInstanceOf(Failure.class)
                .hasMessageContaining("no tar archive");
    }
}
