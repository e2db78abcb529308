package podvm.network.cni;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import tools.jackson.databind.node.ObjectNode;

/** The plugins' programs: finding them, asking which versions they speak, calling them. */
final class Plugins {
    private static final Duration VERSION_ANSWER = Duration.ofSeconds(10);

    private final List<Path> directories;
    private final Map<Binary, List<CniVersion>> versions = new ConcurrentHashMap<>();

    Plugins(List<Path> directories) {
        this.directories = directories;
    }

    Path find(String type, String network) throws PodException {
        for (var directory : directories) {
            var file = directory.resolve(type);
            if (Files.isRegularFile(file) && Files.isExecutable(file)) {
                return file;
            }
        }
        throw new PodException(
                Kind.NOT_FOUND,
                "there is no CNI plugin " + type + ", which network " + network + " needs",
                "put it into " + path().replace(":", " or "));
    }

    /**
     * The version to speak with a plugin: one that is older than its network is spoken to in the
     * newest that it knows.
     */
    CniVersion version(NetworkList network, ObjectNode plugin, Deadline deadline)
            throws PodException, InterruptedException {
        var type = NetworkList.type(plugin);
        var file = find(type, network.name());
        var known = known(file, deadline);
        return network.version()
                .newestAmong(known)
                .orElseThrow(() ->
                        new PodException(
                                Kind.UNSUPPORTED,
                                "CNI plugin "
                                        + file
                                        + " speaks "
                                        + known.stream()
                                                .map(CniVersion::toString)
                                                .collect(Collectors.joining(", "))
                                        + ", and network "
                                        + network.name()
                                        + " has cniVersion "
                                        + network.version(),
                                "use another version of the plugin, or change "
                                        + network.source()));
    }

    private List<CniVersion> known(Path file, Deadline deadline)
            throws PodException, InterruptedException {
        var binary = Binary.of(file);
        var known = versions.get(binary);
        if (known == null) {
            known = ask(file, deadline.atMost(VERSION_ANSWER));
            versions.put(binary, known);
        }
        return known;
    }

    private List<CniVersion> ask(Path file, Deadline deadline)
            throws PodException, InterruptedException {
        var question = Json.MAPPER.createObjectNode();
        question.put("cniVersion", CniVersion.V1_1_0.toString());
        // older plugins look for all of them before they look at the command
        var environment =
                Map.of(
                        "CNI_COMMAND", "VERSION",
                        "CNI_CONTAINERID", "none",
                        "CNI_NETNS", "none",
                        "CNI_IFNAME", "none",
                        "CNI_PATH", path());
        var answer = run(file, "VERSION", environment, question, deadline);
        return Json.texts(answer.orElse(question).path("supportedVersions")).stream()
                .flatMap(text -> CniVersion.parse(text).stream())
                .toList();
    }

    /**
     * @return what it said, where that is an object
     */
    Optional<ObjectNode> call(
            Path file,
            String command,
            Map<String, String> environment,
            ObjectNode configuration,
            Deadline deadline)
            throws PodException, InterruptedException {
        var all = new HashMap<>(environment);
        all.put("CNI_COMMAND", command);
        all.put("CNI_PATH", path());
        return run(file, command, all, configuration, deadline);
    }

    private static Optional<ObjectNode> run(
            Path file,
            String command,
            Map<String, String> environment,
            ObjectNode input,
            Deadline deadline)
            throws PodException, InterruptedException {
        try {
            var output =
                    new Program(List.of(file.toString()), environment, Json.bytes(input))
                            .run(deadline);
            var said = Json.object(output.text());
            if (output.status() != 0) {
                throw PluginFailure.of(output, said);
            }
            return said;
        } catch (PodException e) {
            throw new PodException(
                    e.kind(),
                    "CNI plugin "
                            + file.getFileName()
                            + " failed at "
                            + command
                            + " for network "
                            + input.path("name").asString("-")
                            + ": "
                            + e.getMessage(),
                    e.remedy().isEmpty() ? "see the documentation of " + file : e.remedy(),
                    e);
        }
    }

    private String path() {
        return directories.stream().map(Path::toString).collect(Collectors.joining(":"));
    }

    /** A program that was replaced may speak other versions. */
    private record Binary(Path file, long size, FileTime changed) {
        static Binary of(Path file) throws PodException {
            try {
                return new Binary(file, Files.size(file), Files.getLastModifiedTime(file));
            } catch (IOException e) {
                throw new PodException(Kind.NOT_FOUND, "cannot look at " + file + ": " + e, "", e);
            }
        }
    }
}
