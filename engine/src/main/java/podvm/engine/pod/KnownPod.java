package podvm.engine.pod;

import java.util.List;
import java.util.Optional;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodStatus;
import podvm.engine.Pods.LogQuery;
import podvm.engine.Pods.LogReader;

/** A pod for those who look at it, whoever decides about it. */
interface KnownPod {
    PodId id();

    PodStatus status();

    /** Fails with DEADLINE. */
    PodStatus awaitChange(PodStatus seen, Deadline deadline)
            throws PodException, InterruptedException;

    /**
     * Waits while this daemon takes up what an earlier one left running: until then the pod is
     * known as running, but cannot be spoken to.
     */
    void awaitSettled() throws InterruptedException;

    GuestLink link();

    /** One for all who measure it: rates are told from one measurement to the next. */
    Meter meter();

    /** Fails with CONFLICT where the container does not run. Empty name: the pod's first. */
    Attempt running(Optional<String> container) throws PodException;

    /** As {@link podvm.engine.Pods#logs}. */
    void logs(Optional<String> container, LogQuery query, LogReader reader)
            throws PodException, InterruptedException;

    /** A container as it runs now. */
    record Attempt(GuestContainer container, ContainerId id, ContainerAttachment.Ending ending) {}

    static PodException notRunning(String container, String pod) {
        return new PodException(
                Kind.CONFLICT,
                "container " + container + " of pod " + pod + " is not running",
                "podvm inspect " + pod + " shows its state");
    }

    static PodException noContainer(String container, String pod, List<String> present) {
        return new PodException(
                Kind.NOT_FOUND,
                "pod " + pod + " has no container " + container,
                present.isEmpty() ? "" : "it has " + String.join(", ", present));
    }
}
