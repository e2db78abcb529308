package podvm.machine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.linux.UnixSocket;

/**
 * Where a machine's sockets and logs are: {@code <run>/pods/<pod id>}. Only the daemon's user may
 * enter; the VMM, which may be somebody else, is handed open descriptors.
 */
public record PodDirectory(PodId pod, Path path) {
    private static final String PODS = "pods";
    private static final int LONGEST_NAME = "/console.sock".length();

    public static PodDirectory of(Path run, PodId pod) {
        return new PodDirectory(pod, run.resolve(PODS).resolve(pod.text()));
    }

    /**
     * Makes the run directory and tells what is wrong with it.
     *
     * @return its path without symbolic links, as /proc shows it
     */
    public static Path prepare(Path run) throws PodException {
        try {
            var pods = createPrivate(run.resolve(PODS));
            var real = pods.toRealPath();
            var length = real.toString().getBytes(StandardCharsets.UTF_8).length;
            var longest = length + 1 + 32 + LONGEST_NAME;
            if (longest > UnixSocket.MAX_PATH_BYTES) {
                throw new PodException(
                        Kind.INVALID,
                        "sockets in run directory "
                                + run
                                + " would have paths of "
                                + longest
                                + " bytes, Linux allows "
                                + UnixSocket.MAX_PATH_BYTES,
                        "choose a run directory whose path is "
                                + (longest - 107)
                                + " bytes shorter");
            }
            return run.toRealPath();
        } catch (IOException e) {
            throw failed("create", run.resolve(PODS), e);
        }
    }

    /** Pods that have a directory. */
    public static List<PodId> all(Path run) throws PodException {
        var pods = new ArrayList<PodId>();
        try (var entries = Files.newDirectoryStream(run.resolve(PODS))) {
            for (var entry : entries) {
                var name = entry.getFileName().toString();
                if (name.matches("[0-9a-f]{32}")) {
                    pods.add(new PodId(name));
                }
            }
        } catch (IOException e) {
            throw failed("list", run.resolve(PODS), e);
        }
        return pods;
    }

    public void create() throws PodException {
        try {
            var ownerOnly = PosixFilePermissions.fromString("rwx------");
            Files.createDirectory(path, PosixFilePermissions.asFileAttribute(ownerOnly));
        } catch (FileAlreadyExistsException e) {
            throw new PodException(
                    Kind.ALREADY_EXISTS,
                    "pod " + pod + " has a machine, or traces of one, in " + path,
                    "remove the pod first",
                    e);
        } catch (IOException e) {
            throw failed("create", path, e);
        }
    }

    public boolean exists() {
        return Files.isDirectory(path);
    }

    public Path agentSocket() {
        return path.resolve("agent.sock");
    }

    public Path qmpSocket() {
        return path.resolve("qmp.sock");
    }

    /** A second QMP socket, which only takes descriptors. */
    public Path descriptorSocket() {
        return path.resolve("fd.sock");
    }

    public Path consoleSocket() {
        return path.resolve("console.sock");
    }

    public Path consoleLog() {
        return path.resolve("console.log");
    }

    public Path vmmLog() {
        return path.resolve("vmm.log");
    }

    /** Raises the limit of the VMM's cgroup, where it has one. */
    public void allow(int moreMib) throws PodException {
        var cgroup = VmmCgroup.of(this);
        if (cgroup.isPresent()) {
            cgroup.get().allow(moreMib);
        }
    }

    /** What is charged to the VMM's cgroup; empty where it has none. */
    public OptionalLong chargedMemory() {
        var cgroup = VmmCgroup.of(this);
        return cgroup.isPresent() ? cgroup.get().memory() : OptionalLong.empty();
    }

    /** Succeeds when there is none. */
    public void remove() throws PodException {
        if (!exists()) {
            return;
        }
        try (var files = Files.newDirectoryStream(path)) {
            var cgroup = VmmCgroup.of(this);
            if (cgroup.isPresent()) {
                cgroup.get().remove();
            }
            for (var file : files) {
                Files.deleteIfExists(file);
            }
            Files.deleteIfExists(path);
        } catch (IOException e) {
            throw failed("remove", path, e);
        }
    }

    private static Path createPrivate(Path directory) throws IOException {
        var ownerOnly = PosixFilePermissions.fromString("rwx------");
        Files.createDirectories(directory.toAbsolutePath().getParent());
        return Files.isDirectory(directory)
                ? directory
                : Files.createDirectory(directory, PosixFilePermissions.asFileAttribute(ownerOnly));
    }

    private static PodException failed(String what, Path path, IOException cause) {
        return new PodException(
                Kind.UNAVAILABLE,
                "cannot " + what + " " + path + ": " + cause,
                "check its owner, its permissions and the space left",
                cause);
    }
}
