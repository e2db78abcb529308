package podvm.engine;

/** Makes the writable disks of pods. */
public interface Volumes {
    /**
     * A sparse ext4 disk of the pod's own, at most {@code bytes} large. Closing it removes the
     * file.
     */
    ScratchDisk scratch(PodId pod, long bytes) throws PodException;

    /** The disk that an earlier daemon made for a pod that still runs. */
    ScratchDisk find(PodId pod) throws PodException;

    /** A block device of the host. Fails with UNSUPPORTED, by the field's name, for others. */
    Disk device(String path, Disk.Access access) throws PodException;

    /** Removes what the pod has, known or not. */
    void destroy(PodId pod) throws PodException;

    /** A disk that lives as long as its pod. */
    interface ScratchDisk extends AutoCloseable {
        Disk disk();

        @Override
        void close() throws PodException;
    }
}
