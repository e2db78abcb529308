package podvm.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.MachinePlacement.Place;
import podvm.engine.NumberList;
import podvm.engine.PodException;

class VmmPlacementTest {
    @TempDir Path system;

    private Process process;

    @BeforeEach
    void start() throws Exception {
        process = new ProcessBuilder("sleep", "60").start();
        for (var kind : List.of("cpu", "node")) {
            Files.createDirectories(system.resolve(kind));
        }
        Files.writeString(system.resolve("cpu/online"), "0-3\n");
        Files.writeString(system.resolve("node/online"), "0-1\n");
    }

    @AfterEach
    void end() {
        process.destroyForcibly();
    }

    private VmmPlacement placement() {
        return new VmmPlacement(process.pid(), system, Path.of("/proc"));
    }

    private static Place on(String cpus, String nodes) throws PodException {
        return new Place(NumberList.parse("", cpus), NumberList.parse("", nodes));
    }

    private static String allowed(String pid) throws Exception {
        return Files.readAllLines(Path.of("/proc", pid, "status")).stream()
                .filter(line -> line.startsWith("Cpus_allowed_list:"))
                .map(line -> line.replaceAll(".*\\s", ""))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void allThreadsOfAProcessAreBoundAndLetGoAgain() throws Exception {
        var pid = Long.toString(process.pid());

        assertThat(placement().put(on("0", ""))).isEmpty();
        assertThat(allowed(pid)).isEqualTo("0");
        assertThat(placement().put(Place.ANYWHERE)).isEmpty();
        assertThat(allowed(pid)).isEqualTo(allowed("self"));
    }

    @Test
    void whatTheNodeLacksIsNamed() {
        assertThatThrownBy(() -> placement().check(on("2-5", "")))
                .isInstanceOf(PodException.class)
                .hasMessageContaining("CPU 4-5")
                .hasMessageContaining("0-3");
        assertThatThrownBy(() -> placement().check(on("", "2")))
                .isInstanceOf(PodException.class)
                .hasMessageContaining("memory node 2");
    }

    @Test
    void someOfTheMemoryNodesHaveNoEffectAndItIsSaid() throws Exception {
        assertThat(placement().put(on("0", "0-1"))).isEmpty();
        assertThat(placement().put(on("0", "1")).orElseThrow()).contains("cpuset_mems 1");
    }
}
