package podvm.engine.pod;

import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.GuestProcess;
import podvm.engine.GuestResources.Detail;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.PodStats;
import podvm.engine.PodUsage;

/** What the known pods use. */
record KnownUsage(Pods pods) implements PodUsage {
    private static final Duration PROCESSES = Duration.ofSeconds(20);

    @FunctionalInterface
    interface Pods {
        /** Fails with NOT_FOUND. */
        KnownPod find(PodId pod) throws PodException;
    }

    @Override
    public Map<PodId, PodStats> stats(Collection<PodId> all) throws InterruptedException {
        return MeterRound.measure(all, this::measure);
    }

    private Optional<PodStats> measure(PodId pod, Deadline deadline)
            throws PodException, InterruptedException {
        var known = pods.find(pod);
        var sandbox = known.link().sandbox();
        return sandbox.isEmpty()
                ? Optional.empty()
                : Optional.of(known.meter().measure(sandbox.get(), Detail.USUAL, deadline));
    }

    @Override
    public List<GuestProcess> processes(PodId pod) throws PodException, InterruptedException {
        var known = pods.find(pod);
        known.awaitSettled();
        return known.link().agent().resources().processes(Deadline.after(PROCESSES));
    }
}
