package podvm.daemon;

import java.io.IOException;
import java.io.StringReader;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.Function;
import java.util.function.LongPredicate;
import podvm.cri.streaming.StreamTls;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.machine.qemu.TemplateRules;
import podvm.machine.qemu.TemplateRules.Sharing;
import podvm.network.ChosenNetworks;

/**
 * What podvmd was told: one immutable record, read once. Keys carry their units; unknown ones and
 * all wrong values are reported together. docs/reference/configuration.md lists them.
 *
 * @param guest directory with vmlinux and initramfs.cpio
 * @param accelerator "auto", "kvm" or "tcg"
 * @param qemu empty: found on PATH
 * @param growth how many times as large as it was started a machine may become
 * @param hostsDirectories with hosts.toml files for registries; the first that knows a host counts
 * @param dockerConfig empty: where the environment says
 * @param imagePolicy empty: any image is accepted
 * @param clusterNetwork what connects the pods that the kubelet asks for
 * @param cniConfiguration directory of the networks of this node's pods
 * @param cniPlugins directories of the plugins, the first that has one counts
 * @param cniOrder "beside-boot" or "before-boot"
 * @param cniGarbage "keep" or "collect"
 * @param idleExit zero: never
 * @param cri empty: the kubelet is not served
 */
public record Config(
        Path state,
        Path run,
        Path guest,
        Path cache,
        String accelerator,
        Optional<Path> qemu,
        int defaultCpuMillis,
        int defaultMemoryMib,
        int overheadMib,
        int scratchMib,
        TemplateRules templates,
        int growth,
        Duration boot,
        Duration firstBackoff,
        Duration lastBackoff,
        int logFileMib,
        int logFiles,
        int endedPodsKept,
        int parallelDownloads,
        List<Path> hostsDirectories,
        Optional<Path> dockerConfig,
        Optional<Path> imagePolicy,
        ChosenNetworks.Cluster clusterNetwork,
        Path cniConfiguration,
        List<Path> cniPlugins,
        Duration cniPatience,
        String cniOrder,
        String cniGarbage,
        Duration idleExit,
        Optional<Cri> cri) {
    /**
     * The kubelet's door.
     *
     * @param group whose members may use the socket; empty: its owner alone
     * @param streamingPort 0: any free one
     */
    record Cri(
            Path socket,
            Optional<String> group,
            InetAddress streamingAddress,
            int streamingPort,
            StreamTls streamingTls) {}

    private static final long TEBI = 1024L * 1024;

    /** What a node already has for containerd or Docker counts for pods, too. */
    private static final String HOSTS_DIRECTORIES =
            "/etc/podvm/certs.d:/etc/containerd/certs.d:/etc/docker/certs.d";

    private static final Path CNI_CONFIGURATION = Path.of("/etc/cni/net.d");

    /** Where network add-ons install them, then where Debian and Fedora do. */
    private static final String CNI_PLUGINS = "/opt/cni/bin:/usr/lib/cni:/usr/libexec/cni";

    /**
     * @param file may be absent
     * @param overrides from the command line; they win over the file
     */
    static Config read(Optional<Path> file, Map<String, String> overrides, Directories defaults)
            throws PodException {
        var values = new Properties();
        if (file.isPresent()) {
            try {
                values.load(new StringReader(Files.readString(file.get())));
            } catch (IOException | IllegalArgumentException e) {
                throw new PodException(
                        Kind.INVALID,
                        "cannot read the configuration " + file.get() + ": " + e.getMessage(),
                        "",
                        e);
            }
        }
        values.putAll(overrides);
        var reader = new Reader(values);
        var run = reader.path("directory.run", defaults.run());
        var config =
                new Config(
                        reader.path("directory.state", defaults.state()),
                        run,
                        reader.path("directory.guest", defaults.guest()),
                        reader.path("directory.cache", defaults.cache()),
                        reader.choice("machine.accelerator", List.of("auto", "kvm", "tcg")),
                        reader.text("machine.qemu", Function.identity()).map(Path::of),
                        reader.number(
                                "machine.default-cpu-millis",
                                1000,
                                n -> n >= 1 && n <= 1_000_000,
                                "1 to 1000000"),
                        reader.number(
                                "machine.default-memory-mib",
                                1024,
                                n -> n >= 16 && n <= TEBI,
                                "16 to 1048576"),
                        reader.number(
                                "machine.overhead-mib",
                                128,
                                n -> n >= 64 && n <= 4096,
                                "64 to 4096"),
                        reader.number(
                                "machine.scratch-mib",
                                10 * 1024,
                                n -> n >= 64 && n <= TEBI,
                                "64 to 1048576"),
                        reader.templates(),
                        reader.number("machine.growth", 4, n -> n >= 1 && n <= 64, "1 to 64"),
                        reader.duration("machine.boot-timeout-ms", Duration.ofSeconds(60)),
                        reader.duration("restart.first-backoff-ms", Duration.ofSeconds(10)),
                        reader.duration("restart.last-backoff-ms", Duration.ofMinutes(5)),
                        reader.number("log.file-mib", 10, n -> n >= 1 && n <= 10_240, "1 to 10240"),
                        reader.number("log.files", 5, n -> n >= 2 && n <= 1000, "2 to 1000"),
                        reader.number(
                                "pods.ended-kept", 100, n -> n >= 0 && n <= 100_000, "0 to 100000"),
                        reader.number(
                                "image.parallel-downloads", 3, n -> n >= 1 && n <= 64, "1 to 64"),
                        reader.paths("image.hosts-directories", HOSTS_DIRECTORIES),
                        reader.absolute("image.docker-config"),
                        reader.absolute("image.policy"),
                        reader.choice("network.cluster", List.of("cni", "user")).equals("user")
                                ? ChosenNetworks.Cluster.USER
                                : ChosenNetworks.Cluster.CNI,
                        reader.path("network.cni-config", CNI_CONFIGURATION),
                        reader.paths("network.cni-plugins", CNI_PLUGINS),
                        reader.duration("network.cni-timeout-ms", Duration.ofSeconds(60)),
                        reader.choice("network.order", List.of("beside-boot", "before-boot")),
                        reader.choice("network.garbage", List.of("keep", "collect")),
                        reader.duration("daemon.idle-exit-ms", Duration.ZERO),
                        reader.cri(run.resolve("podvm.sock")));
        reader.finish(file);
        return config;
    }

    /** Takes values one by one and collects what is wrong with them. */
    private static final class Reader {
        private final Properties values;
        private final List<String> problems = new ArrayList<>();

        Reader(Properties values) {
            this.values = values;
        }

        <T> Optional<T> text(String key, Function<String, T> parse) {
            return Optional.ofNullable((String) values.remove(key)).map(String::strip).map(parse);
        }

        TemplateRules templates() {
            var most = number("machine.templates", 0, n -> n >= 0 && n <= 100, "0 to 100");
            var mib = number("machine.templates-mib", 0, n -> n >= 0 && n <= TEBI, "0 to 1048576");
            var sharing = choice("machine.template-sharing", List.of("node", "namespace", "off"));
            return switch (sharing) {
                case "off" -> TemplateRules.NONE;
                case "namespace" -> new TemplateRules(most, mib, Sharing.NAMESPACE);
                default -> new TemplateRules(most, mib, Sharing.NODE);
            };
        }

        Path path(String key, Path fallback) {
            var path = text(key, Path::of).orElse(fallback);
            if (!path.isAbsolute()) {
                problems.add(key + " must be an absolute path, not " + path);
            }
            return path;
        }

        Optional<Path> absolute(String key) {
            var path = text(key, Path::of);
            path.filter(it -> !it.isAbsolute())
                    .ifPresent(it -> problems.add(key + " must be an absolute path, not " + it));
            return path;
        }

        Optional<Cri> cri(Path fallback) {
            boolean none =
                    "none".equals(values.getProperty("cri.socket", "").strip())
                            && values.remove("cri.socket") != null;
            var cri =
                    new Cri(
                            path("cri.socket", fallback),
                            text("cri.group", Function.identity()),
                            address("cri.streaming-address"),
                            number(
                                    "cri.streaming-port",
                                    0,
                                    n -> n >= 0 && n <= 65_535,
                                    "0 to 65535"),
                            streamTls());
            return none ? Optional.empty() : Optional.of(cri);
        }

        StreamTls streamTls() {
            boolean on = choice("cri.streaming-tls", List.of("off", "on")).equals("on");
            var certificate = absolute("cri.streaming-certificate");
            var key = absolute("cri.streaming-key");
            if (certificate.isPresent() != key.isPresent()) {
                problems.add("cri.streaming-certificate and cri.streaming-key go together");
            }
            if (certificate.isPresent() && !on) {
                problems.add("cri.streaming-certificate needs cri.streaming-tls=on");
            }
            if (!on) {
                return new StreamTls.Plain();
            }
            return certificate.isPresent() && key.isPresent()
                    ? new StreamTls.KeyPair(certificate.get(), key.get())
                    : new StreamTls.SelfSigned();
        }

        /** In digits: a name could lead elsewhere after a look-up. */
        InetAddress address(String key) {
            var text = text(key, Function.identity()).orElse("127.0.0.1");
            try {
                return InetAddress.ofLiteral(text);
            } catch (IllegalArgumentException e) {
                problems.add(key + " must be an IP address, not " + text);
                return InetAddress.getLoopbackAddress();
            }
        }

        /** Separated by colons; none where the text is empty. */
        List<Path> paths(String key, String fallback) {
            var paths = new ArrayList<Path>();
            for (var text : text(key, Function.identity()).orElse(fallback).split(":")) {
                if (text.isBlank()) {
                    continue;
                }
                var path = Path.of(text.strip());
                if (!path.isAbsolute()) {
                    problems.add(key + " must be absolute paths, not " + path);
                }
                paths.add(path);
            }
            return List.copyOf(paths);
        }

        String choice(String key, List<String> allowed) {
            var value = text(key, Function.identity()).orElse(allowed.getFirst());
            if (!allowed.contains(value)) {
                problems.add(
                        key + " must be one of " + String.join(", ", allowed) + ", not " + value);
            }
            return value;
        }

        int number(String key, int fallback, LongPredicate valid, String range) {
            var text = text(key, Function.identity());
            if (text.isEmpty()) {
                return fallback;
            }
            try {
                int value = Integer.parseInt(text.get());
                if (valid.test(value)) {
                    return value;
                }
            } catch (NumberFormatException e) {
                // reported below, like a number out of range
            }
            problems.add(key + " must be a number from " + range + ", not " + text.get());
            return fallback;
        }

        Duration duration(String key, Duration fallback) {
            return Duration.ofMillis(
                    number(
                            key,
                            Math.toIntExact(fallback.toMillis()),
                            n -> n >= 0,
                            "0 to 2147483647"));
        }

        void finish(Optional<Path> file) throws PodException {
            values.stringPropertyNames().stream()
                    .sorted()
                    .forEach(key -> problems.add("unknown key " + key));
            if (!problems.isEmpty()) {
                throw new PodException(
                        Kind.INVALID,
                        "the configuration"
                                + file.map(path -> " " + path).orElse("")
                                + " is wrong: "
                                + String.join("; ", problems),
                        "docs/reference/configuration.md lists the keys");
            }
        }
    }
}
