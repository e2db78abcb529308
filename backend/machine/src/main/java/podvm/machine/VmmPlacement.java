package podvm.machine;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import podvm.engine.MachinePlacement;
import podvm.engine.NumberList;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.linux.Affinity;

/**
 * Binds all threads of a VMM: its vCPUs, and those that do its input and output. The threads that
 * it starts later inherit that.
 *
 * @param system /sys/devices/system
 * @param proc /proc
 */
public record VmmPlacement(long pid, Path system, Path proc) implements MachinePlacement {
    private static final String ALLOWED = "Cpus_allowed_list:";

    public static VmmPlacement of(long pid) {
        return new VmmPlacement(pid, Path.of("/sys/devices/system"), Path.of("/proc"));
    }

    @Override
    public void check(Place place) throws PodException {
        check("cpuset_cpus", "CPU", place.cpus(), online("cpu"));
        check("cpuset_mems", "memory node", place.memoryNodes(), online("node"));
    }

    private static void check(String field, String what, NumberList asked, NumberList there)
            throws PodException {
        var missing = asked.without(there.numbers());
        if (!missing.isEmpty()) {
            throw new PodException(
                    Kind.INVALID,
                    "%s names %s %s, and this node has %s".formatted(field, what, missing, there),
                    "name some of those");
        }
    }

    private NumberList online(String kind) throws PodException {
        var file = system.resolve(kind).resolve("online");
        try {
            return NumberList.parse(file.toString(), Files.readString(file));
        } catch (NoSuchFileException e) {
            // a kernel without NUMA has one node and does not tell
            return new NumberList(List.of(0));
        } catch (IOException e) {
            throw new PodException(Kind.UNAVAILABLE, "cannot read " + file + ": " + e, "", e);
        }
    }

    @Override
    public Optional<String> put(Place place) throws PodException {
        check(place);
        bind(place.cpus().isEmpty() ? ofDaemon() : place.cpus());
        var nodes = place.memoryNodes();
        return nodes.isEmpty() || nodes.equals(online("node"))
                ? Optional.empty()
                : Optional.of(
                        "cpuset_mems "
                                + nodes
                                + " has no effect: a machine's memory is on the nodes that the"
                                + " kernel chooses, near the CPUs that it runs on");
    }

    private NumberList ofDaemon() throws PodException {
        var file = proc.resolve("self/status");
        try {
            for (var line : Files.readAllLines(file)) {
                if (line.startsWith(ALLOWED)) {
                    return NumberList.parse(
                            file.toString(), line.substring(ALLOWED.length()).strip());
                }
            }
            return online("cpu");
        } catch (IOException e) {
            throw new PodException(Kind.UNAVAILABLE, "cannot read " + file + ": " + e, "", e);
        }
    }

    /** Until no thread is found that is not bound: one may start another meanwhile. */
    private void bind(NumberList cpus) throws PodException {
        var bound = new HashSet<Long>();
        for (var found = threads(); !bound.containsAll(found); found = threads()) {
            for (var thread : found) {
                if (bound.add(thread)) {
                    Affinity.set(thread, cpus.numbers());
                }
            }
        }
    }

    private Set<Long> threads() throws PodException {
        var all = new HashSet<Long>();
        var tasks = proc.resolve(Long.toString(pid)).resolve("task");
        try (var files = Files.newDirectoryStream(tasks)) {
            files.forEach(file -> all.add(Long.parseLong(file.getFileName().toString())));
        } catch (IOException | UncheckedIOException e) {
            throw new PodException(
                    Kind.MACHINE, "cannot bind the machine's process " + pid + ": " + e, "", e);
        }
        return all;
    }
}
