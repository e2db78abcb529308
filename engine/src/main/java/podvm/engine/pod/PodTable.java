package podvm.engine.pod;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import podvm.engine.ContainerSpec;
import podvm.engine.Deadline;
import podvm.engine.Images;
import podvm.engine.PodEvent;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodRecord;
import podvm.engine.PodSpec;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState.Waiting;
import podvm.engine.PodStatus.ContainerStatus;
import podvm.engine.PodStatus.Phase;
import podvm.engine.Progress;
import podvm.engine.Rollback;
import podvm.engine.SandboxRecord;

/**
 * The pods that were run here as a whole: those that run and those that have ended but are not
 * forgotten.
 */
public final class PodTable implements AutoCloseable {
    private static final Duration FOREVER = Duration.ofDays(365);

    private final Ports ports;
    private final EngineSettings settings;
    private final Patience patience;
    private final Map<PodId, PodLife> lives = new LinkedHashMap<>();
    private boolean closed;

    private PodTable(Ports ports, EngineSettings settings, Patience patience) {
        this.ports = ports;
        this.settings = settings;
        this.patience = patience;
    }

    /**
     * Takes up what an earlier daemon left: adopts running pods, goes on with half-started ones,
     * removes what no journal knows.
     */
    public static PodTable open(Ports ports, EngineSettings settings) throws PodException {
        return open(ports, settings, Patience.USUAL);
    }

    static PodTable open(Ports ports, EngineSettings settings, Patience patience)
            throws PodException {
        var table = new PodTable(ports, settings, patience);
        var known = new HashSet<PodId>();
        for (var sandbox : ports.sandboxJournals().readAll()) {
            if (sandbox.stage() != SandboxRecord.Stage.ENDED) {
                known.add(sandbox.id().pod());
            }
        }
        var records = new ArrayList<>(ports.journals().readAll());
        var leftovers = new LinkedHashSet<>(ports.machines().leftovers());
        leftovers.addAll(ports.networks().leftovers());
        records.sort(Comparator.comparing(PodRecord::created));
        for (var record : records) {
            ports.history().found(record.status());
            table.lives.put(
                    record.id(), new PodLife(record, ports, settings, patience, Progress.NONE));
            if (record.stage() != PodRecord.Stage.ENDED) {
                known.add(record.id());
                hold(record, ports.images());
            }
        }
        for (var leftover : leftovers) {
            if (!known.contains(leftover)) {
                table.removeLeftover(leftover);
            }
        }
        table.lives.forEach((pod, life) -> {
            if (known.contains(pod)) {
                life.start();
            }
        });
        return table;
    }

    /** An image that is gone is told when the pod needs it once more. */
    private static void hold(PodRecord record, Images images) {
        var spec = record.status().spec();
        for (var image : record.images()) {
            var _ = images.hold(record.id(), spec.namespace() + "/" + spec.name(), image.id());
        }
    }

    /** One that cannot be removed must not keep the daemon from starting. */
    private void removeLeftover(PodId pod) {
        try (var all = new Rollback()) {
            all.add(() -> ports.volumes().destroy(pod));
            all.add(() -> ports.networks().destroy(pod));
            all.add(() -> ports.machines().destroy(pod));
        } catch (PodException e) {
            event(pod, "RemoveFailed", e.describe());
            return;
        }
        event(pod, "Removed", "a machine that no journal knows was removed");
    }

    private void event(PodId pod, String name, String text) {
        ports.events()
                .on(new PodEvent(Instant.now(), pod, "", PodEvent.Severity.WARNING, name, text));
    }

    /** As {@link podvm.engine.Pods#run}. */
    PodId run(PodSpec spec, Progress pulls) throws PodException {
        var size = Sizing.of(spec, settings);
        ports.machines().check(size, 1);
        ports.networks().check(spec.network(), spec.ports());
        for (var container :
                Stream.concat(spec.initContainers().stream(), spec.containers().stream())
                        .toList()) {
            if (container.env().stream().anyMatch(one -> one.name().isEmpty())) {
                throw new PodException(
                        Kind.INVALID,
                        "container " + container.name() + " has a variable without a name",
                        "");
            }
            for (var mount : container.mounts()) {
                if (!spec.volumes().containsKey(mount.volume())) {
                    throw new PodException(
                            Kind.INVALID,
                            "container "
                                    + container.name()
                                    + " mounts volume "
                                    + mount.volume()
                                    + ", which the pod does not have",
                            "add it to the pod's volumes");
                }
            }
        }
        var id = PodId.random();
        var status =
                new PodStatus(
                        id,
                        spec,
                        Phase.PENDING,
                        "",
                        "",
                        "",
                        Instant.now(),
                        Optional.empty(),
                        List.of(),
                        Optional.of(size),
                        Optional.empty(),
                        Stream.concat(
                                        spec.initContainers().stream().map(one -> fresh(one, true)),
                                        spec.containers().stream().map(one -> fresh(one, false)))
                                .toList(),
                        List.of(new PodStatus.Stage("accepted", Instant.now())),
                        Optional.empty());
        var record = new PodRecord(PodRecord.Stage.STARTING, status, List.of(), Optional.empty());
        var life = new PodLife(record, ports, settings, patience, pulls);
        synchronized (lives) {
            if (closed) {
                throw new PodException(
                        Kind.UNAVAILABLE, "the daemon is ending", "try again when it is back");
            }
            for (var other : lives.values()) {
                if (!other.status().phase().ended() && sameName(other.spec(), spec)) {
                    throw new PodException(
                            Kind.ALREADY_EXISTS,
                            "pod "
                                    + spec.namespace()
                                    + "/"
                                    + spec.name()
                                    + " is already there as "
                                    + other.status().id().brief(),
                            "podvm rm -f " + spec.name() + " removes it");
                }
            }
            ports.journals().write(record);
            lives.put(id, life);
            ports.history().changed(Optional.empty(), status);
            life.start();
        }
        forgetOldest();
        return id;
    }

    private static ContainerStatus fresh(ContainerSpec container, boolean init) {
        return new ContainerStatus(
                container.name(),
                init,
                container.image(),
                "",
                Optional.empty(),
                new Waiting("PodInitializing", ""),
                Optional.empty(),
                0);
    }

    private static boolean sameName(PodSpec a, PodSpec b) {
        return a.name().equals(b.name()) && a.namespace().equals(b.namespace());
    }

    /** Whoever starts a pod is not to hear that another could not be forgotten. */
    private void forgetOldest() {
        List<PodLife> old;
        synchronized (lives) {
            var ended =
                    lives.values().stream().filter(life -> life.status().phase().ended()).toList();
            old = ended.subList(0, Math.max(0, ended.size() - settings.endedPodsKept()));
        }
        for (var life : old) {
            try {
                forget(life.status().id());
            } catch (PodException e) {
                event(life.status().id(), "ForgetFailed", e.describe());
            }
        }
    }

    private void forget(PodId pod) throws PodException {
        PodLife gone;
        synchronized (lives) {
            gone = lives.remove(pod);
        }
        ports.journals().delete(pod);
        if (gone != null) {
            ports.history().removed(gone.status());
        }
    }

    /** In the order they were made in. */
    List<PodLife> all() {
        synchronized (lives) {
            return List.copyOf(lives.values());
        }
    }

    private PodLife life(PodId pod) throws PodException {
        synchronized (lives) {
            var life = lives.get(pod);
            if (life == null) {
                throw new PodException(
                        Kind.NOT_FOUND, "no such pod: " + pod, "podvm ps -a lists them");
            }
            return life;
        }
    }

    /** As {@link podvm.engine.Pods#stop}. */
    void stop(PodId pod, Optional<Duration> grace) throws PodException, InterruptedException {
        var life = life(pod);
        if (!life.status().phase().ended()) {
            life.stop(Deadline.after(grace.orElse(life.spec().terminationGrace())));
        }
        awaitEnd(life);
    }

    private static void awaitEnd(PodLife life) throws PodException, InterruptedException {
        for (var seen = life.status(); !seen.phase().ended(); ) {
            seen = life.awaitChange(seen, Deadline.after(FOREVER));
        }
    }

    /** As {@link podvm.engine.Pods#remove}. */
    void remove(PodId pod, boolean kill) throws PodException, InterruptedException {
        var life = life(pod);
        if (!life.status().phase().ended()) {
            if (!kill) {
                throw new PodException(
                        Kind.CONFLICT,
                        "pod " + life.spec().name() + " has not ended",
                        "podvm stop ends it; podvm rm -f ends and removes it");
            }
            stop(pod, Optional.of(Duration.ZERO));
        }
        forget(pod);
    }

    PodHistory history() {
        return ports.history();
    }

    Images images() {
        return ports.images();
    }

    /** True while a pod has not ended. */
    public boolean busy() {
        return all().stream().anyMatch(life -> !life.status().phase().ended());
    }

    /** Lets go of all pods; they run on. */
    @Override
    public void close() {
        synchronized (lives) {
            closed = true;
        }
        boolean interrupted = false;
        for (var life : all()) {
            if (!life.status().phase().ended()) {
                try {
                    life.detach();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
