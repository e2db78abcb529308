package podvm.engine;

import java.nio.file.Path;
import java.util.OptionalLong;

/** Shows directories, files and sockets of the host inside pods' machines, live. */
public interface Shares {
    /**
     * Decides what a mount of a path shows, so that every daemon shows the same: links in the path
     * are followed, and a directory is made where nothing is. Fails with UNSUPPORTED where a
     * machine could do nothing with what is there.
     *
     * @param writable {@link Writable#BELOW_MOUNTS} becomes NOTHING where nothing is mounted below
     */
    Tree look(Path path, Writable writable, Mounts mounts)
            throws PodException, InterruptedException;

    /**
     * How large the pages of a path are whose files are large pages: a machine shows its own in
     * their place. Empty for all others.
     */
    OptionalLong hugepages(Path path) throws PodException, InterruptedException;

    /**
     * Opens what is to be shown. A share that an earlier daemon had open goes on with the same name
     * and tree: files that the guest has open stay so.
     */
    HostShare open(PodId pod, ShareSpec share) throws PodException, InterruptedException;

    /** Removes what is kept about one share, known or not. */
    void destroy(PodId pod, String name) throws PodException;

    /** Removes what is kept about a pod's shares, known or not. */
    void destroy(PodId pod) throws PodException;

    /**
     * What is shown.
     *
     * @param root a directory, a single file or a socket of the host
     */
    record Tree(Path root, Writable writable, Mounts mounts, Shown shown) {
        @SuppressWarnings("NullAway") // a missing part of an older record
        public Tree {
            shown = shown == null ? Shown.FILES : shown;
        }

        public Tree(Path root, Writable writable, Mounts mounts) {
            this(root, writable, mounts, Shown.FILES);
        }
    }

    enum Shown {
        FILES,
        /** Whoever connects to it in the guest is connected to what listens there at that time. */
        SOCKET
    }

    /** Where the guest may write. */
    enum Writable {
        ALL,
        /** In file systems that are mounted below the root, but not in the root's own. */
        BELOW_MOUNTS,
        NOTHING
    }

    /** Which of the host's mounts below the root are seen. */
    enum Mounts {
        /** Those that are there when the share is opened. */
        AS_OPENED,
        /** Those that are there when somebody looks. */
        LIVE
    }

    /**
     * @param name as {@link GuestShares} and container plans know it: a-z, 0-9, '.', '_', '-'
     */
    record ShareSpec(String name, Tree tree) {}

    /** A tree of the host, ready to be served. Closing it leaves the guest waiting for the next. */
    interface HostShare extends AutoCloseable {
        ShareSpec spec();

        /**
         * Whether one that is opened now would show the same: not where another file has taken the
         * root's place, or other mounts may be below it.
         */
        boolean current() throws InterruptedException;

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
