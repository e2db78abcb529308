package podvm.engine;

/**
 * A connection to a program of a pod: a byte stream whose two directions end on their own. One
 * thread may send while another receives.
 */
public interface PortConnection extends AutoCloseable {
    /** Waits while the program does not read. Fails when it takes no more. */
    void send(byte[] data) throws PodException, InterruptedException;

    /** Nothing more will be sent; what comes back is still received. */
    void endOfInput() throws PodException;

    /** The next bytes; an empty array at the end, after which the program may still be sent to. */
    byte[] receive() throws PodException, InterruptedException;

    /** Ends both directions. */
    @Override
    void close();
}
