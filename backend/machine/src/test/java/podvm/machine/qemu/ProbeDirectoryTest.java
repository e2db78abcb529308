package podvm.machine.qemu;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class ProbeDirectoryTest {
    @TempDir Path cache;

    @Test
    void theVmmOfAProberThatDiedIsEndedByTheNextOne() throws Exception {
        var left = directoryOf(deadProcess());
        var orphan = sleepIn(left);

        ProbeDirectory.create(cache).close();

        assertThat(Path.of("/proc/" + orphan.pid())).doesNotExist();
        assertThat(cache).isEmptyDirectory();
    }

    @Test
    void theVmmOfALivingProberIsLeftAlone() throws Exception {
        var prober = new ProcessBuilder("sleep", "60").start();
        var vmm = sleepIn(directoryOf(prober.pid()));
        try {
            ProbeDirectory.create(cache).close();

            assertThat(vmm.isAlive()).isTrue();
        } finally {
            vmm.destroyForcibly().waitFor();
            prober.destroyForcibly().waitFor();
        }
    }

    private static long deadProcess() throws Exception {
        var process = new ProcessBuilder("true").start();
        process.waitFor();
        return process.pid();
    }

    private Path directoryOf(long prober) throws Exception {
        var directory = Files.createDirectory(cache.resolve("probe-" + prober));
        Files.writeString(directory.resolve("console.log"), "");
        return directory;
    }

    private static Process sleepIn(Path directory) throws Exception {
        return new ProcessBuilder("sleep", "60").directory(directory.toFile()).start();
    }
}
