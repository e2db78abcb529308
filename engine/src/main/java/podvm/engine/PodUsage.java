package podvm.engine;

import java.util.Collection;
import java.util.List;
import java.util.Map;

/** What running pods use, and the processes that use it. */
public interface PodUsage {
    /** Of those that run and answer in time: one that does not must not hide the others. */
    Map<PodId, PodStats> stats(Collection<PodId> pods) throws InterruptedException;

    /** Fails with CONFLICT where the pod does not run. */
    List<GuestProcess> processes(PodId pod) throws PodException, InterruptedException;
}
