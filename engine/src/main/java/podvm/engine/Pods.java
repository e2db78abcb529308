package podvm.engine;

import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The pods of this node, as frontends see them. Those of a kubelet (see {@link Sandboxes}) are
 * among them; to stop or remove one fails with CONFLICT, since the kubelet would start it again.
 */
public interface Pods {
    /**
     * Accepts a pod and starts it in the background; returns when it is journalled. Fails, with
     * nothing made, where the pod can never run here or the name is taken by a pod that has not
     * ended.
     *
     * @param pulls hears of image downloads of this pod
     */
    PodId run(PodSpec spec, Progress pulls) throws PodException;

    List<PodStatus> list();

    /**
     * By id, unique id prefix of at least 3 digits, name or namespace/name. Fails with NOT_FOUND
     * or, where several match, INVALID.
     */
    PodId resolve(String reference) throws PodException;

    PodStatus status(PodId pod) throws PodException;

    /** Waits until the pod differs from what the caller has seen; returns the new status. */
    PodStatus awaitChange(PodStatus seen, Deadline deadline)
            throws PodException, InterruptedException;

    /**
     * Stops it gracefully and returns when it has ended. An ended pod is fine. Empty grace: the
     * pod's own.
     */
    void stop(PodId pod, Optional<Duration> grace) throws PodException, InterruptedException;

    /** Forgets an ended pod with its logs; {@code kill} ends a running one first. */
    void remove(PodId pod, boolean kill) throws PodException, InterruptedException;

    /**
     * Hands the log to the reader, oldest first; with follow until the pod has ended.
     *
     * @param container empty: all of them
     */
    void logs(PodId pod, Optional<String> container, LogQuery query, LogReader reader)
            throws PodException, InterruptedException;

    /**
     * Starts a process in a running container; empty container: the pod's first. Empty args are
     * refused.
     */
    Agent.ExecSession exec(
            PodId pod, Optional<String> container, ExecSpec spec, Agent.ExecOutput output)
            throws PodException, InterruptedException;

    /**
     * Joins a running container's output from now on, and its input; empty container: the pod's
     * first.
     */
    Attachment attach(PodId pod, Optional<String> container, Agent.ExecOutput output)
            throws PodException, InterruptedException;

    /** Connects to a port at which a program of a running pod listens. */
    PortConnection connect(PodId pod, int port) throws PodException, InterruptedException;

    /** Copies the console's text, oldest first; with follow until the machine ends. */
    void console(PodId pod, boolean follow, TextSink sink)
            throws PodException, InterruptedException;

    /** Fails with CONFLICT where the container does not run; empty container: the pod's first. */
    ContainerFiles files(PodId pod, Optional<String> container)
            throws PodException, InterruptedException;

    PodUsage usage();

    PodChanges changes();

    /** Images and, for diagnosis, what a pod's root is made from. */
    Images images();

    /**
     * @param tail newest lines only; empty: all
     */
    record LogQuery(Follow follow, Optional<Instant> since, Optional<Integer> tail) {}

    /** What a reader of a log wants of what is still to be written. */
    enum Follow {
        NO,

        /** What rotates away before it was read is lost to this reader, who is told. */
        YES,

        /** Nothing rotates away before it was read: the container waits for a slow reader. */
        HOLD
    }

    /** One line of a log, without its newline; {@code partial}: the line goes on in the next. */
    record LogLine(
            String container,
            Agent.OutputStreamKind stream,
            Instant time,
            byte[] text,
            boolean partial) {}

    /**
     * Takes lines one at a time; an IOException (the client went away) ends the reading quietly.
     */
    @FunctionalInterface
    interface LogReader {
        void line(LogLine line) throws IOException;

        /** Before the next line of this container others have gone unread. */
        default void lost(String container) throws IOException {}
    }

    @FunctionalInterface
    interface TextSink {
        void text(byte[] bytes) throws IOException;
    }

    record ExecSpec(
            List<String> args,
            List<String> env,
            String workingDir,
            String user,
            boolean stdin,
            boolean terminal,
            int columns,
            int rows) {}

    /**
     * A client's connection to a container's standard streams. Closing it leaves the container
     * alone.
     */
    interface Attachment extends AutoCloseable {
        String container();

        boolean terminal();

        boolean hasStdin();

        /** Fails with CONFLICT where the container has no stdin. */
        void stdin(byte[] data) throws PodException, InterruptedException;

        void closeStdin() throws PodException;

        void resize(int columns, int rows) throws PodException, InterruptedException;

        /** Waits for the end of the container: its exit code. */
        int await() throws PodException, InterruptedException;

        @Override
        void close();
    }
}
