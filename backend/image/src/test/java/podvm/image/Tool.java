package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Programs of the machine that check ours independently; without one, its tests are skipped. */
public final class Tool {
    private Tool() {}

    public static void need(String program) {
        boolean found =
                List.of("/usr/bin", "/bin", "/usr/sbin", "/sbin").stream()
                        .anyMatch(directory -> Files.isExecutable(Path.of(directory, program)));
        assumeTrue(found, program + " is not installed");
    }

    /** Output of a program that must succeed within two minutes. */
    public static String run(String... command) throws IOException, InterruptedException {
        var log = Files.createTempFile("tool-", ".log");
        try {
            var process =
                    new ProcessBuilder(command)
                            .redirectErrorStream(true)
                            .redirectOutput(log.toFile())
                            .start();
            boolean ended = process.waitFor(2, TimeUnit.MINUTES);
            if (!ended) {
                process.destroyForcibly();
            }
            var output = Files.readString(log);
            assertThat(ended && process.exitValue() == 0)
                    .as("%s: %s", String.join(" ", command), output)
                    .isTrue();
            return output;
        } finally {
            Files.delete(log);
        }
    }
}
