package podvm.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.cri.streaming.StreamTls;
import podvm.engine.PodException;

class ConfigTest {
    private static final Directories PLACES =
            new Directories(Path.of("/s"), Path.of("/r"), Path.of("/c"), Path.of("/g"));

    @TempDir Path directory;

    @Test
    void withoutAFileTheDefaultsHold() throws Exception {
        var config = Config.read(Optional.empty(), Map.of(), PLACES);

        assertThat(config.state()).isEqualTo(Path.of("/s"));
        assertThat(config.accelerator()).isEqualTo("auto");
        assertThat(config.boot()).isEqualTo(Duration.ofMinutes(1));
        assertThat(config.idleExit()).isZero();
        assertThat(config.hostsDirectories())
                .contains(Path.of("/etc/podvm/certs.d"), Path.of("/etc/containerd/certs.d"));
        assertThat(config.dockerConfig()).isEmpty();
    }

    @Test
    void listsOfDirectoriesAreSeparatedByColons() throws Exception {
        var set = Map.of("image.hosts-directories", "/a: /b");
        assertThat(Config.read(Optional.empty(), set, PLACES).hostsDirectories())
                .containsExactly(Path.of("/a"), Path.of("/b"));
        var none = Map.of("image.hosts-directories", "");
        assertThat(Config.read(Optional.empty(), none, PLACES).hostsDirectories()).isEmpty();
        var relative = Map.of("image.hosts-directories", "/a:b", "image.docker-config", "c");
        assertThatThrownBy(() -> Config.read(Optional.empty(), relative, PLACES))
                .hasMessageContaining("image.hosts-directories must be absolute paths, not b")
                .hasMessageContaining("image.docker-config must be an absolute path, not c");
    }

    private static StreamTls streams(Map<String, String> set) throws PodException {
        return Config.read(Optional.empty(), set, PLACES).cri().orElseThrow().streamingTls();
    }

    @Test
    void streamsAreProtectedAsAsked() throws Exception {
        var on = Map.of("cri.streaming-tls", "on");
        var pair =
                Map.of(
                        "cri.streaming-tls", "on",
                        "cri.streaming-certificate", "/a.crt",
                        "cri.streaming-key", "/a.key");

        assertThat(streams(Map.of())).isEqualTo(new StreamTls.Plain());
        assertThat(streams(on)).isEqualTo(new StreamTls.SelfSigned());
        assertThat(streams(pair))
                .isEqualTo(new StreamTls.KeyPair(Path.of("/a.crt"), Path.of("/a.key")));
        assertThatThrownBy(() -> streams(Map.of("cri.streaming-certificate", "/a.crt")))
                .hasMessageContaining("go together")
                .hasMessageContaining("cri.streaming-tls=on");
    }

    @Test
    void theCommandLineWinsOverTheFile() throws Exception {
        var file =
                Files.writeString(
                        directory.resolve("f"), "machine.default-memory-mib=256\nlog.files=7\n");

        var config =
                Config.read(Optional.of(file), Map.of("machine.default-memory-mib", "512"), PLACES);

        assertThat(config.defaultMemoryMib()).isEqualTo(512);
        assertThat(config.logFiles()).isEqualTo(7);
    }

    @Test
    void allProblemsAreToldTogether() throws Exception {
        var file =
                Files.writeString(
                        directory.resolve("f"),
                        "machine.memory=1\nlog.files=one\ndirectory.run=relative\nmachine.accelerator=warp\n");

        assertThatThrownBy(() -> Config.read(Optional.of(file), Map.of(), PLACES))
                .isInstanceOf(PodException.class)
                .hasMessageContaining("unknown key machine.memory")
                .hasMessageContaining("log.files must be a number from 2 to 1000, not one")
                .hasMessageContaining("directory.run must be an absolute path, not relative")
                .hasMessageContaining(
                        "machine.accelerator must be one of auto, kvm, tcg, not warp");
    }

    @Test
    void thePageListsTheKeysThatTheCodeReads() throws Exception {
        var key =
                Pattern.compile(
                        "\"((?:directory|machine|restart|log|pods|image|network|daemon|cri)\\.[a-z-]+)\"");
        var read = new TreeSet<String>();
        key.matcher(Files.readString(Path.of("src/main/java/podvm/daemon/Config.java")))
                .results()
                .forEach(match -> read.add(match.group(1)));
        var listed = new TreeSet<String>();
        Pattern.compile("^\\| `([a-z.-]+)` \\|", Pattern.MULTILINE)
                .matcher(Files.readString(Path.of("../docs/reference/configuration.md")))
                .results()
                .forEach(match -> listed.add(match.group(1)));

        assertThat(listed).isEqualTo(read).hasSizeGreaterThan(10);
    }

    @Test
    void argumentsThatNobodyKnowsAreRefused() {
        assertThatThrownBy(() -> Arguments.parse("--fast"))
                .hasMessageContaining("unknown argument --fast");
        assertThatThrownBy(() -> Arguments.parse("--set", "x"))
                .hasMessageContaining("--set wants KEY=VALUE, not x");
        assertThatThrownBy(() -> Arguments.parse("--config"))
                .hasMessageContaining("--config wants a value");
    }

    @Test
    void rootUsesTheSystemsPlacesAndOthersTheirOwn() {
        var root = Directories.of(Map.of("HOME", "/root"), 0);
        var user = Directories.of(Map.of("HOME", "/home/u"), 1000);

        assertThat(root.state()).isEqualTo(Path.of("/var/lib/podvm"));
        assertThat(root.run()).isEqualTo(Path.of("/run/podvm"));
        assertThat(user.state()).isEqualTo(Path.of("/home/u/.local/state/podvm"));
        assertThat(user.run()).isEqualTo(Path.of("/tmp/podvm-1000"));
        assertThat(user.guest()).isEqualTo(Path.of("/home/u/.cache/podvm/guest/current"));
    }
}
