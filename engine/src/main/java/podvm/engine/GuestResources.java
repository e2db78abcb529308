package podvm.engine;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What containers in the guest use, and what they may use. */
public interface GuestResources {
    /** Of the whole machine in one call. */
    GuestStats stats(Detail detail, Deadline deadline) throws PodException, InterruptedException;

    /** Of all containers, 4096 at most. */
    List<GuestProcess> processes(Deadline deadline) throws PodException, InterruptedException;

    /**
     * Changes a running container. Fails with NOT_FOUND when it has ended, and with INVALID, with
     * no limit changed, where the kernel does not take a value.
     */
    void update(ContainerId container, Change change, Deadline deadline)
            throws PodException, InterruptedException;

    /** Changes what all containers together may use. */
    void updatePod(List<Setting> settings, Deadline deadline)
            throws PodException, InterruptedException;

    /**
     * Returns how many vCPUs are online then. Fails with EXHAUSTED where the machine has fewer.
     *
     * @param least 0: no such bound
     * @param most 0: no such bound
     */
    int adjustVcpus(int least, int most, Deadline deadline)
            throws PodException, InterruptedException;

    /**
     * Has the guest keep so many bytes of large pages for all containers together; of sizes that
     * are not named, none. Fails, with nothing changed, with EXHAUSTED where it cannot find so much
     * memory in one piece, and with INVALID where the machine has no pages of a size.
     *
     * @param bytes by the size's name, as {@link HugepageSizes} has them
     */
    void hugepages(Map<String, Long> bytes, Deadline deadline)
            throws PodException, InterruptedException;

    enum Detail {
        USUAL,
        /** Also what takes longer to find: open files. */
        OPEN_FILES
    }

    /** Written in this order; what is left out stays as it is. */
    record Change(List<Setting> settings, Optional<Integer> oomScoreAdj) {}

    /** A file of a container's cgroup and what to write into it. */
    record Setting(String file, String value) {}
}
