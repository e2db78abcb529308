package podvm.engine.pod;

import org.jspecify.annotations.Nullable;
import podvm.engine.Agent.ContainerReport;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.Image;
import podvm.engine.PodStatus.ContainerState;
import podvm.engine.PodStatus.ContainerState.Running;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.PodStatus.ContainerState.Waiting;

/** A container as its guest has it. Changed by the pod's own thread only. */
abstract class GuestContainer {
    final OutputHub output = new OutputHub();
    @Nullable Image image;
    volatile ContainerState state;

    /** Of the present attempt. */
    volatile @Nullable ContainerId id;

    /** Its program was started, and may have ended since. */
    boolean ran;

    @Nullable ContainerReport exit;
    boolean drained;

    /** Set after the exit: its output is not waited for any longer. */
    @Nullable Deadline drainBy;

    /** Carries the output of the newest attempt. */
    @Nullable Thread pump;

    boolean stopSignalSent;

    /** Set when it was killed: a guest that still has it then does not listen any more. */
    @Nullable Deadline killedBy;

    GuestContainer(ContainerState state) {
        this.state = state;
    }

    abstract String name();

    abstract boolean terminal();

    abstract boolean hasStdin();

    /** As its specification or its image has it; empty: SIGTERM. */
    abstract String stopSignal();

    boolean waiting() {
        return state instanceof Waiting;
    }

    boolean running() {
        return state instanceof Running;
    }

    boolean ended() {
        return state instanceof Terminated;
    }
}
