package podvm.engine;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The process in the guest that runs a pod's containers. Every call fails with MACHINE when the
 * connection is lost.
 */
public interface Agent extends AutoCloseable {
    /** What the agent said when it was reached. */
    Info info();

    /** What the agent says of itself now. */
    Info infoNow(Deadline deadline) throws PodException, InterruptedException;

    /**
     * Gets all ready that every pod's guest needs and that does not depend on the pod: what is
     * copied from this machine need not do it again.
     */
    void prepare(Deadline deadline) throws PodException, InterruptedException;

    void configure(SandboxSetup setup, Deadline deadline) throws PodException, InterruptedException;

    /** Makes or replaces, all at once, a directory of files that containers can mount. */
    void putVolume(String name, List<VolumeFile> files, Deadline deadline)
            throws PodException, InterruptedException;

    /** The host's files in the guest. */
    GuestShares shares();

    GuestResources resources();

    GuestPorts ports();

    GuestSockets sockets();

    ContainerFiles files(ContainerId container);

    /** Returns whom its process will be; empty where the container's files do not know the user. */
    Optional<ResolvedUser> create(ContainerPlan plan, Deadline deadline)
            throws PodException, InterruptedException;

    /**
     * Empty when the program runs; else why it could not be executed, with the exit code that the
     * container has now.
     */
    Optional<StartFailure> start(ContainerId container, Deadline deadline)
            throws PodException, InterruptedException;

    /** Fails with NOT_FOUND when the container has ended. */
    void signal(ContainerId container, int signal, Deadline deadline)
            throws PodException, InterruptedException;

    void remove(ContainerId container, Deadline deadline) throws PodException, InterruptedException;

    /**
     * Hands all unacknowledged output, then what follows, to the sink on one virtual thread;
     * returns when the last byte is acknowledged.
     */
    void readOutput(ContainerId container, OutputSink sink)
            throws PodException, InterruptedException;

    /**
     * Opens the container's standard input; closing the stream ends this writer. Writes block while
     * the container does not read.
     */
    InputWriter openInput(ContainerId container) throws PodException;

    void resize(ContainerId container, int columns, int rows)
            throws PodException, InterruptedException;

    /** Starts a process in a running container. */
    ExecSession exec(ContainerId container, ProcessPlan process, boolean stdin, ExecOutput output)
            throws PodException, InterruptedException;

    /**
     * Hands the present state of each container, a word when that is all, and each change to the
     * watcher; returns when the connection ends.
     */
    void watch(Watcher watcher) throws PodException, InterruptedException;

    /** Asks the guest to end its containers and power off; does not wait for the machine. */
    void shutdown(Deadline deadline) throws PodException, InterruptedException;

    /** Ends the connection; the guest goes on. */
    @Override
    void close();

    /**
     * What the agent says of itself.
     *
     * @param agentRssBytes the agent's own resident memory
     */
    record Info(
            String agentVersion, String kernelRelease, boolean configured, long agentRssBytes) {}

    /**
     * @param hostsFile contents of /etc/hosts
     * @param scratchSerial the scratch disk's serial
     */
    record SandboxSetup(
            String hostname,
            String domainname,
            String hostsFile,
            String resolvConf,
            List<PodNetwork.Interface> interfaces,
            Map<String, String> sysctls,
            String scratchSerial,
            long shmBytes) {}

    /** A file of a volume: a path below the volume's root and its permission bits. */
    record VolumeFile(String path, byte[] content, int mode, int uid, int gid) {
        public VolumeFile {
            content = content.clone();
        }

        @Override
        public byte[] content() {
            return content.clone();
        }
    }

    /** Everything the guest needs to make a container. */
    record ContainerPlan(
            ContainerId id,
            List<String> layerSerials,
            boolean readOnlyRoot,
            ProcessPlan process,
            List<MountPlan> mounts,
            ResourceLimits limits,
            SecurityPlan security,
            Processes processes,
            boolean stdin,
            boolean stdinOnce,
            Optional<UserMapping> users) {}

    /** Whose processes a container sees. */
    sealed interface Processes {
        record Own() implements Processes {}

        /** Those of the pod's own namespace, in which no container is process 1. */
        record OfPod() implements Processes {}

        /** Those of another container, which has not ended. */
        record Of(ContainerId container) implements Processes {}
    }

    /**
     * @param user as in {@link ImageConfig#user}; empty: root (for exec: the container's)
     * @param gid overrides the user's group
     * @param strictGroups without the groups that the image's /etc/group has for the user
     */
    record ProcessPlan(
            List<String> args,
            List<String> env,
            String workingDir,
            String user,
            Optional<Integer> gid,
            List<Integer> supplementalGids,
            boolean strictGroups,
            boolean terminal,
            int columns,
            int rows,
            int oomScoreAdj,
            List<Rlimit> rlimits) {}

    /**
     * Numbers without sign, as the container's own /etc/passwd and /etc/group gave them.
     *
     * @param gids with the one before
     */
    record ResolvedUser(int uid, int gid, List<Integer> gids) {}

    /**
     * @param name the suffix of RLIMIT_ in lower case: "nofile", "core"
     * @param soft as unsigned: -1 is not limited
     */
    record Rlimit(String name, long soft, long hard) {}

    /** A directory in the container. */
    record MountPlan(String destination, MountSource source, boolean readOnly, String subPath) {}

    /** What a mount shows. */
    sealed interface MountSource {
        /** Files sent by {@link Agent#putVolume}. */
        record Files(String volume) implements MountSource {}

        /** A directory on the scratch disk, shared by all containers that name it. */
        record EmptyDir(String name) implements MountSource {}

        /** A tmpfs shared likewise; 0: no limit of its own. */
        record Memory(String name, long bytes) implements MountSource {}

        /** A hugetlbfs, shared by all containers that name it. */
        record Hugepages(String name, long pageBytes) implements MountSource {}

        /** A socket that {@link GuestSockets#open} has made, in place of a directory. */
        record Socket(String name) implements MountSource {}

        /** A device file, in place of a directory, of a disk that is attached. */
        record DeviceFile(String serial) implements MountSource {}

        /** The files of an image: serials of its layer disks, lowest first. */
        record ImageLayers(List<String> serials) implements MountSource {}

        /**
         * What {@link GuestShares#mount} has mounted. A read-only mount of it is so all the way
         * down.
         */
        record Share(String name, Propagation propagation) implements MountSource {}
    }

    /** Which mounts made later are seen on the other side, in the words of Kubernetes. */
    enum Propagation {
        NONE,
        HOST_TO_CONTAINER,
        /** Refused: what is mounted in a machine cannot appear on the host. */
        BIDIRECTIONAL
    }

    /**
     * cgroup v2 values; 0: not limited.
     *
     * @param hugepages bytes by the size's name, as {@link HugepageSizes} has them, where 0 is none
     */
    record ResourceLimits(
            long cpuQuotaMicros,
            long cpuPeriodMicros,
            int cpuWeight,
            long memoryMaxBytes,
            long memoryMinBytes,
            long pidsMax,
            Map<String, Long> hugepages) {}

    /**
     * @param capabilities the complete set ("CAP_CHOWN", …)
     * @param ambient those of them that a user other than root has, too
     * @param guarded empty: what container engines usually guard
     */
    record SecurityPlan(
            boolean privileged,
            List<String> capabilities,
            List<String> ambient,
            boolean noNewPrivileges,
            SystemCalls calls,
            Optional<GuardedPaths> guarded) {}

    /** Which system calls a process may make. */
    sealed interface SystemCalls {
        /** Those that container engines usually allow, and those that capabilities open. */
        record Usual() implements SystemCalls {}

        record All() implements SystemCalls {}

        /**
         * @param program for the guest's kernel: an array of struct sock_filter
         */
        record Filtered(byte[] program) implements SystemCalls {
            public Filtered {
                program = program.clone();
            }

            @Override
            public byte[] program() {
                return program.clone();
            }
        }
    }

    /** Absolute paths; those that are not there are left out. */
    record GuardedPaths(List<String> masked, List<String> readOnly) {}

    record StartFailure(int exitCode, String message) {}

    /** Where a container's output goes. */
    interface OutputSink {
        /**
         * @param offset position of the first byte in its stream since the container's start
         * @param ack tells the guest that all bytes of this stream below an offset are safe
         */
        void chunk(OutputStreamKind stream, long offset, byte[] data, Instant time, Ack ack)
                throws PodException;

        void end(OutputStreamKind stream, Ack ack) throws PodException;
    }

    enum OutputStreamKind {
        STDOUT,
        STDERR
    }

    @FunctionalInterface
    interface Ack {
        void upTo(OutputStreamKind stream, long offset);
    }

    interface InputWriter extends AutoCloseable {
        void write(byte[] bytes, int offset, int length) throws PodException, InterruptedException;

        /**
         * Ends the input, where the container was made so, and waits until the guest has taken it
         * all.
         */
        @Override
        void close() throws PodException;
    }

    /**
     * Receives an exec's output; calls come one at a time, and blocking in them holds the process
     * back.
     */
    interface ExecOutput {
        void stdout(byte[] data);

        void stderr(byte[] data);
    }

    interface ExecSession extends AutoCloseable {
        void stdin(byte[] data) throws PodException, InterruptedException;

        void closeStdin() throws PodException;

        void resize(int columns, int rows) throws PodException;

        void signal(int signal) throws PodException;

        /**
         * Waits for the end: the exit code, 128 + signal for a killed process, 126 or 127 with a
         * message when it could not start.
         */
        ExecResult await() throws PodException, InterruptedException;

        /** Kills the process when it still runs. */
        @Override
        void close();
    }

    record ExecResult(int exitCode, Optional<String> failure) {}

    interface Watcher {
        void changed(ContainerReport report);

        /**
         * What was not reported by now is not there, nor on its way from an earlier connection. May
         * come again, and never comes from a guest that does not know it.
         */
        void presentTold();
    }

    /** What the guest says of a container. */
    record ContainerReport(
            ContainerId id,
            Phase phase,
            int exitCode,
            int signal,
            boolean oomKilled,
            Instant started,
            Instant exited) {
        public enum Phase {
            CREATED,
            RUNNING,
            EXITED
        }
    }
}
