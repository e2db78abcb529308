package podvm.machine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.linux.HostProcess;

/**
 * Finds VMMs that an earlier daemon started, by what /proc says of them: the working directory is
 * the pod's and the name on the command line is the pod's. The first keeps daemons with different
 * run directories apart, and survives the directory's removal.
 *
 * @param program how the file name of the VMM's executable begins
 */
public record VmmProcesses(Path run, String program) {
    public static String name(PodId pod) {
        return "podvm-" + pod;
    }

    public List<PodId> all() throws PodException {
        return ProcessSearch.all().stream()
                .map(this::pod)
                .flatMap(Optional::stream)
                .collect(Collectors.toCollection(ArrayList::new));
    }

    /** The pod's VMM; the caller closes the handle. */
    public Optional<HostProcess> find(PodId pod) throws PodException {
        for (var entry : ProcessSearch.all()) {
            var process = ProcessSearch.open(entry, it -> pod(it).filter(pod::equals).isPresent());
            if (process.isPresent()) {
                return process;
            }
        }
        return Optional.empty();
    }

    private Optional<PodId> pod(Path entry) {
        try {
            var directory = Files.readSymbolicLink(entry.resolve("cwd")).toString();
            var pods = run.resolve("pods") + "/";
            if (!directory.startsWith(pods) || directory.length() < pods.length() + 32) {
                return Optional.empty();
            }
            var pod = PodId.parse(directory.substring(pods.length(), pods.length() + 32));
            var executable = Files.readSymbolicLink(entry.resolve("exe")).getFileName().toString();
            var line = Files.readString(entry.resolve("cmdline"), StandardCharsets.ISO_8859_1);
            return executable.startsWith(program) && named(List.of(line.split("\0")), pod)
                    ? Optional.of(pod)
                    : Optional.empty();
        } catch (IOException | PodException _) {
            // gone meanwhile, somebody else's, or nothing of ours
            return Optional.empty();
        }
    }

    private static boolean named(List<String> arguments, PodId pod) {
        var at = arguments.indexOf("-name");
        return at >= 0
                && at + 1 < arguments.size()
                && (arguments.get(at + 1) + ",").startsWith(name(pod) + ",");
    }
}
