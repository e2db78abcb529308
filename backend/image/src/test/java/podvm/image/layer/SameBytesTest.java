package podvm.image.layer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.image.Layers;
import podvm.image.TarBytes;
import podvm.image.content.Sha256;

/** One layer, written by virtual machines that differ in all that Java lets one choose. */
class SameBytesTest {
    @TempDir Path directory;

    /** What the other virtual machines run: prints the digests of tar and disk. */
    static final class Once {
        private Once() {}

        public static void main(String[] args) throws Exception {
            var image = Path.of(args[1]);
            try (var tar =
                            new Inflated(
                                    Files.newInputStream(Path.of(args[0])),
                                    "layer",
                                    Deadline.after(Duration.ofMinutes(1)));
                    var hashed = new HashedStream(tar)) {
                Layers.write(hashed, image, Layers.LIMITS);
                System.out.print(
                        hashed.digest().hex() + " " + Sha256.of(Files.readAllBytes(image)).hex());
            }
        }
    }

    @Test
    void theDiskIsTheSameWhateverTheMachineItsLanguageAndItsClock() throws Exception {
        var tar = new TarBytes();
        var random = new Random(7);
        for (int at = 0; at < 3000; at++) {
            var content = new byte[random.nextInt(9000)];
            random.nextBytes(content);
            tar.pax("SCHILY.xattr.user.n\u00ef", "" + at % 7)
                    .pax("mtime", at + ".123456789")
                    .file("d\u00e9" + at % 13 + "/f\u00ff\u0080" + at, content);
            tar.hardLink("h" + at, "d\u00e9" + at % 13 + "/f\u00ff\u0080" + at);
        }
        var layer = Files.write(directory.resolve("layer.tar.gz"), TarBytes.gzip(tar.bytes()));
        var found = new ArrayList<String>();
        for (var options :
                List.of(
                        List.of("-XX:ActiveProcessorCount=1"),
                        List.of(
                                "-Dfile.encoding=COMPAT",
                                "-Dsun.jnu.encoding=ANSI_X3.4-1968",
                                "-Duser.timezone=Asia/Kathmandu",
                                "-Duser.language=tr",
                                "-Duser.country=TR"),
                        List.of(
                                "-Dfile.encoding=ISO-8859-1",
                                "-Duser.language=ar",
                                "-XX:ActiveProcessorCount=8",
                                "-Xint"))) {
            found.add(runElsewhere(options, layer, found.size()));
        }
        assertThat(found.getFirst()).startsWith(Sha256.of(tar.bytes()).hex()).hasSize(129);
        assertThat(found).containsOnly(found.getFirst());
        assertThat(found.getFirst()).endsWith(Sha256.of(Layers.image(tar.bytes())).hex());
    }

    private String runElsewhere(List<String> options, Path layer, int number) throws Exception {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(options);
        var classPath =
                System.getProperty(
                        "surefire.test.class.path", System.getProperty("java.class.path"));
        command.addAll(List.of("-cp", classPath, Once.class.getName(), layer.toString()));
        command.add(directory.resolve("image" + number).toString());
        var log = directory.resolve("log" + number);
        var process =
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start();
        boolean ended = process.waitFor(2, TimeUnit.MINUTES);
        process.destroyForcibly();
        var output = Files.readString(log, StandardCharsets.ISO_8859_1);
        assertThat(ended && process.exitValue() == 0).as(output).isTrue();
        return output;
    }
}
