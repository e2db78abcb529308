package podvm.engine;

import java.nio.ByteBuffer;

/**
 * The guest's end of shares: file systems in the guest whose requests somebody here answers, as
 * messages of FUSE (linux/fuse.h of Linux, protocol 7).
 */
public interface GuestShares {
    /**
     * Mounts a share, so that containers can mount it; their requests wait until it is served. One
     * that is mounted so already is left as it is.
     */
    void mount(String name, Root root, Access access, Deadline deadline)
            throws PodException, InterruptedException;

    /**
     * Hands the guest's requests to the server, one at a time and on the calling thread; returns
     * when the share has ended. Fails with MACHINE when the connection ends: what is not answered
     * by then comes again on the next one. Fails with CONFLICT when another call took over.
     */
    void serve(String name, Server server) throws PodException, InterruptedException;

    /** Who still uses the share gets ENOTCONN. Ending an unknown share succeeds. */
    void end(String name, Deadline deadline) throws PodException, InterruptedException;

    enum Root {
        DIRECTORY,
        FILE
    }

    enum Access {
        READ_ONLY,
        READ_WRITE
    }

    @FunctionalInterface
    interface Server {
        /**
         * Takes a request; it may be answered later, from any thread. While this waits the guest is
         * held back.
         *
         * @param again an earlier server may have done what it asks
         */
        void request(ByteBuffer request, boolean again, Answers answers)
                throws InterruptedException;
    }

    @FunctionalInterface
    interface Answers {
        /** Sends an answer, which the receiver owns now; nothing where the connection has ended. */
        void send(byte[] answer) throws InterruptedException;
    }
}
