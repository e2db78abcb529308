package podvm.engine.pod;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import podvm.engine.ContainerConfig.Resources;
import podvm.engine.Deadline;
import podvm.engine.HugepageSizes;
import podvm.engine.MachinePlacement.Place;
import podvm.engine.NumberList;
import podvm.engine.PodException;
import podvm.engine.SandboxSpec;

/**
 * What the containers of a sandbox that have not ended need together of their machine, beside CPU
 * time and memory: large pages, and CPUs of the node. A container that names no CPUs adds none:
 * where a kubelet gives CPUs away it names some for each.
 */
final class SandboxDemands {
    private static final Duration CALL = Duration.ofSeconds(60);

    private final SandboxSpec spec;
    private final EngineSettings settings;
    private final List<SandboxSlot> slots;
    private final SandboxBook book;
    private final Events events;

    SandboxDemands(
            SandboxSpec spec,
            EngineSettings settings,
            List<SandboxSlot> slots,
            SandboxBook book,
            Events events) {
        this.spec = spec;
        this.settings = settings;
        this.slots = slots;
        this.book = book;
        this.events = events;
    }

    /** Whether it asks for any of this. */
    static boolean any(Resources resources) {
        return places(resources) || pages(resources);
    }

    private static boolean places(Resources resources) {
        return !resources.cpusetCpus().isEmpty() || !resources.cpusetMems().isEmpty();
    }

    private static boolean pages(Resources resources) {
        return HugepageSizes.total(resources.hugepageLimits()) > 0;
    }

    /** Fails with INVALID where the node does not have what is named. */
    static void check(Sandbox now, Resources resources) throws PodException {
        if (places(resources)) {
            now.machine().placement().check(new Place(cpus(resources), memoryNodes(resources)));
        }
    }

    private static NumberList cpus(Resources resources) throws PodException {
        return NumberList.parse("cpuset_cpus", resources.cpusetCpus());
    }

    private static NumberList memoryNodes(Resources resources) throws PodException {
        return NumberList.parse("cpuset_mems", resources.cpusetMems());
    }

    /** Before the first container: memory is in one piece then. */
    void begin(Sandbox now) throws PodException, InterruptedException {
        if (HugepageSizes.total(spec.limits().hugepages()) > 0) {
            reserve(now);
        }
    }

    /** Has the machine meet what a container asks for that is among the others by now. */
    void meet(Sandbox now, Resources asked) throws PodException, InterruptedException {
        if (places(asked)) {
            place(now);
        }
        if (pages(asked)) {
            reserve(now);
        }
    }

    /** For what one asked for that is gone, or was never made. */
    void relax(Sandbox now, Resources asked) throws InterruptedException {
        try {
            meet(now, asked);
        } catch (PodException e) {
            events.warning("ReleaseFailed", e.describe());
        }
    }

    void place(Sandbox now) throws PodException {
        var bounds = book.bounds();
        var ofPod =
                new Place(
                        NumberList.parse("cpuset_cpus", bounds.cpusetCpus()),
                        NumberList.parse("cpuset_mems", bounds.cpusetMems()));
        var cpus = NumberList.NONE;
        var nodes = NumberList.NONE;
        for (var resources : running(Function.identity())) {
            cpus = cpus.and(cpus(resources));
            nodes = nodes.and(memoryNodes(resources));
        }
        var place = new Place(narrowed(cpus, ofPod.cpus()), narrowed(nodes, ofPod.memoryNodes()));
        now.machine()
                .placement()
                .put(place)
                .ifPresent(what -> events.warning("PlacementIncomplete", what));
    }

    /** As a cgroup with its parent: what has nothing in common with it gets the parent's. */
    private static NumberList narrowed(NumberList own, NumberList parent) {
        if (own.isEmpty() || parent.isEmpty()) {
            return own.isEmpty() ? parent : own;
        }
        var both = own.within(parent);
        return both.isEmpty() ? parent : both;
    }

    private void reserve(Sandbox now) throws PodException, InterruptedException {
        var fit = MachineFit.of(now, settings);
        fit.grow(fit.need(running(Function.identity()), book.overheadBytes(), hugepages()));
        now.agent().resources().hugepages(hugepages(), Deadline.after(CALL));
    }

    /** Of all containers, and at least what was said at the start. */
    Map<String, Long> hugepages() {
        var sum = HugepageSizes.sum(running(Resources::hugepageLimits));
        return HugepageSizes.larger(sum, HugepageSizes.sum(List.of(spec.limits().hugepages())));
    }

    private <T> List<T> running(Function<Resources, T> part) {
        var all = new ArrayList<T>();
        for (var slot : slots) {
            if (!slot.ended()) {
                all.add(part.apply(slot.config.resources()));
            }
        }
        return all;
    }
}
