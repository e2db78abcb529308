package podvm.engine;

import java.nio.file.Path;

/** Shows directories and files of the host inside pods' machines, live. */
public interface Shares {
    /**
     * Opens what is to be shown. A share that an earlier daemon had open goes on with the same name
     * and path: files that the guest has open stay so.
     */
    HostShare open(PodId pod, ShareSpec share) throws PodException;

    /** Removes what is kept about a pod's shares, known or not. */
    void destroy(PodId pod) throws PodException;

    /**
     * @param name as {@link GuestShares} and container plans know it: a-z, 0-9, '.', '_', '-'
     * @param root a directory or a single file of the host; links in the path are followed once
     */
    record ShareSpec(String name, Path root, GuestShares.Access access) {}

    /** A tree of the host, ready to be served. Closing it leaves the guest waiting for the next. */
    interface HostShare extends AutoCloseable {
        ShareSpec spec();

        /** Mounts it in the guest; containers that mount it can be made from now on. */
        void mount(Agent agent, Deadline deadline) throws PodException, InterruptedException;

        /**
         * Answers the guest until the share ends in it, or fails with MACHINE when the connection
         * does; to be called again on the next connection.
         */
        void answer(Agent agent) throws PodException, InterruptedException;

        @Override
        void close();
    }
}
