package podvm.engine;

import java.time.Duration;
import java.util.List;
import podvm.engine.Pods.Attachment;
import podvm.engine.Pods.ExecSpec;

/**
 * The pod sandboxes of this node and the containers in them, for a caller that decides about each
 * container itself: nothing is started, started again or removed here of its own accord. {@link
 * Pods} shows its pods too, and leaves it to this caller to end them.
 *
 * <p>All of it outlives the daemon: what a call has returned is there for the next one.
 */
public interface Sandboxes {
    /**
     * Returns when the guest is configured; on failure nothing is left. Fails with ALREADY_EXISTS
     * where a sandbox with the same metadata is there.
     */
    SandboxId run(SandboxSpec spec) throws PodException, InterruptedException;

    /**
     * Kills what runs in it and ends its machine, network and disk; returns when all of that is
     * gone. One that has ended, or is not known, is fine.
     */
    void stop(SandboxId sandbox) throws PodException, InterruptedException;

    /**
     * Forgets it with all its containers, which are killed where they run. One that is not known is
     * fine. Log files are the caller's.
     */
    void remove(SandboxId sandbox) throws PodException, InterruptedException;

    /** Fails with NOT_FOUND. */
    SandboxStatus status(SandboxId sandbox) throws PodException;

    /** In the order they were made in. */
    List<SandboxStatus> list();

    /**
     * Returns when all but the program's start is done. Fails, with nothing made, with NOT_FOUND
     * where sandbox or image are not there, CONFLICT where the sandbox is not ready, ALREADY_EXISTS
     * where it has a container with the same metadata, and UNSUPPORTED where a field cannot be
     * honoured.
     */
    ContainerId createContainer(SandboxId sandbox, ContainerConfig config)
            throws PodException, InterruptedException;

    /**
     * Returns when the program runs. Fails with CONFLICT where the container is not in state
     * CREATED, and with INVALID where the program cannot be executed: then it is in state EXITED.
     */
    void startContainer(ContainerId container) throws PodException, InterruptedException;

    /**
     * Sends the stop signal and, after the timeout, SIGKILL; returns when the container has ended
     * and its output is in the log. One that does not run, or is not known, is fine. A guest that
     * does not answer any more is ended with its machine.
     */
    void stopContainer(ContainerId container, Duration timeout)
            throws PodException, InterruptedException;

    /** Forgets a container; one that runs is killed, one that is not known is fine. */
    void removeContainer(ContainerId container) throws PodException, InterruptedException;

    /** Fails with NOT_FOUND. */
    SandboxContainer container(ContainerId container) throws PodException;

    /** Of all sandboxes, in the order they were made in. */
    List<SandboxContainer> containers();

    /**
     * Opens the log file once more under its name, since somebody has moved it. Fails with CONFLICT
     * where the container does not run.
     */
    void reopenLog(ContainerId container) throws PodException, InterruptedException;

    /** Starts a process in a running container; fails with CONFLICT in others. */
    Agent.ExecSession exec(ContainerId container, ExecSpec spec, Agent.ExecOutput output)
            throws PodException, InterruptedException;

    /** Joins a running container's output from now on, and its input. */
    Attachment attach(ContainerId container, Agent.ExecOutput output)
            throws PodException, InterruptedException;

    SandboxResources resources();

    /**
     * Connects to a port at which a program of a ready sandbox listens; fails with CONFLICT where
     * nobody does.
     */
    PortConnection connect(SandboxId sandbox, int port) throws PodException, InterruptedException;

    /** What happens from now on. */
    SandboxEvent.Subscription subscribe(SandboxEvent.Listener listener);
}
