package podvm.volume;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Ext4WriterTest {
    private static final UUID ANY = UUID.fromString("c3b1f3c2-0d6c-4a1f-8a58-4a6b8d0b9b11");
    private static final long MIB = 1L << 20;

    @TempDir Path temporary;

    /** Around the ends of block groups (128 MiB), and with a last group too small to be kept. */
    @ParameterizedTest
    @ValueSource(
            longs = {
                64 * MIB,
                64 * MIB + 4097,
                100 * MIB,
                128 * MIB - 4096,
                128 * MIB,
                128 * MIB + 4096,
                129 * MIB,
                131 * MIB,
                256 * MIB,
                1000 * MIB + 12345,
                10_240 * MIB,
                16_384 * MIB,
                16_384 * MIB + 3 * MIB,
                102_400 * MIB,
                1_048_576 * MIB
            })
    void e2fsckFindsNothingToSay(long bytes) throws Exception {
        var disk = write(bytes);
        var checked = run("e2fsck", "-fn", disk.toString());
        assertThat(checked.output).contains("scratch: 11/").doesNotContain("Fix?", "rror");
        assertThat(checked.status).isZero();
    }

    @Test
    void dumpe2fsReadsItsFeatures() throws Exception {
        var shown = run("dumpe2fs", "-h", write(256 * MIB).toString());
        assertThat(shown.output)
                .contains("extent", "uninit_bg", "sparse_super2", ANY.toString())
                .doesNotContain("has_journal");
    }

    @Test
    void fewBytesAreWrittenWhateverTheSize() throws Exception {
        var disk = write(10_240 * MIB);
        assertThat(Files.size(disk)).isEqualTo(10_240 * MIB);
        var blocks = run("stat", "-c", "%b", disk.toString()).output.strip();
        assertThat(Long.parseLong(blocks) * 512).isLessThan(64 * 1024);
    }

    @Test
    void theSameSizeAndUuidGiveTheSameBytes() throws Exception {
        assertThat(Files.mismatch(write(64 * MIB), write(64 * MIB))).isEqualTo(-1);
    }

    private Path write(long bytes) throws IOException {
        var file = Files.createTempFile(temporary, "disk", ".img");
        try (var channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            Ext4Writer.write(channel, bytes, ANY);
        }
        return file;
    }

    private record Ran(int status, String output) {}

    private static Ran run(String... command) throws Exception {
        var program = Path.of("/usr/sbin", command[0]);
        if (Files.isExecutable(program)) {
            command[0] = program.toString();
        } else {
            Assumptions.assumeTrue(command[0].equals("stat"), command[0] + " is not installed");
        }
        var process = new ProcessBuilder(command).redirectErrorStream(true).start();
        var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return new Ran(process.exitValue(), output);
    }
}
