package podvm.cri.streaming;

import podvm.engine.Agent;
import podvm.engine.PodException;
import podvm.engine.PortConnection;

/** Where a client's streams lead; one token stands for one of these. */
public sealed interface Destination {
    /** A new process, or a container's own. */
    record Process(Streams streams, ProcessOpener opener) implements Destination {}

    /** The ports of a pod. */
    record Ports(PortOpener opener) implements Destination {}

    /** What a client was promised. With a terminal there is no stderr of its own. */
    record Streams(boolean stdin, boolean stdout, boolean stderr, boolean terminal) {}

    /** Opens the process when the client has come. */
    @FunctionalInterface
    interface ProcessOpener {
        Session open(Agent.ExecOutput output) throws PodException, InterruptedException;
    }

    /** Connects to a port where a program of the pod listens on its loopback or any address. */
    @FunctionalInterface
    interface PortOpener {
        PortConnection connect(int port) throws PodException, InterruptedException;
    }

    /** A process's streams. */
    interface Session extends AutoCloseable {
        /** Blocks while the process does not read. */
        void stdin(byte[] data) throws PodException, InterruptedException;

        void closeStdin() throws PodException;

        void resize(int columns, int rows) throws PodException, InterruptedException;

        /** Returns when it has ended and all its output was handed over. */
        Agent.ExecResult await() throws PodException, InterruptedException;

        @Override
        void close();
    }
}
