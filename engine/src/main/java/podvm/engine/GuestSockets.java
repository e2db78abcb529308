package podvm.engine;

/**
 * Unix sockets in the guest to which programs of the pod connect, and for which somebody here
 * answers. {@link GuestShares#end} ends them: names are those of shares.
 */
public interface GuestSockets {
    /** Makes one that containers can mount. One that is there is left as it is. */
    void open(String name, Owner owner, Deadline deadline)
            throws PodException, InterruptedException;

    /**
     * Waits for the next program that connects. Fails with NOT_FOUND when the socket has ended, and
     * with MACHINE when the connection to the guest does.
     */
    Caller accept(String name) throws PodException, InterruptedException;

    /**
     * Who may connect, as the socket of the host says it.
     *
     * @param mode permission bits
     */
    record Owner(int mode, int uid, int gid) {}

    /** A program that waits for an answer. Closing it without one ends its connection. */
    interface Caller extends AutoCloseable {
        /** From now on data may flow; the connection is the caller's to close. */
        PortConnection connected() throws PodException;

        @Override
        void close();
    }
}
