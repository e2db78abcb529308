package podvm.engine.pod;

import podvm.engine.Agent;
import podvm.engine.Agent.ContainerReport;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.MachineEnd;

/** What a pod's own thread is told by others. */
sealed interface PodMessage {
    record Reported(ContainerReport report) implements PodMessage {}

    /** All containers that the guest has are reported. */
    record PresentTold(Agent agent) implements PodMessage {}

    /** All output of an attempt is in the log. */
    record Drained(ContainerId container) implements PodMessage {}

    record AgentMeasured(long rssBytes) implements PodMessage {}

    record MachineEnded(MachineEnd end) implements PodMessage {}

    record ConnectionLost(Agent agent) implements PodMessage {}

    /** From then on the containers have until the deadline to end by themselves. */
    record StopAsked(Deadline deadline) implements PodMessage {}

    /**
     * Something that a caller waits for.
     *
     * @param cancel tells it that it will not be done
     */
    record Asked(Work work, Runnable cancel) implements PodMessage {}

    @FunctionalInterface
    interface Work {
        void run() throws InterruptedException;
    }

    record Wake() implements PodMessage {}
}
