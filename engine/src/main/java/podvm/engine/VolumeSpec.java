package podvm.engine;

import java.util.List;

/** What stands behind a volume's name. */
public sealed interface VolumeSpec {
    /** Files of a ConfigMap or Secret. */
    record Files(List<Agent.VolumeFile> files) implements VolumeSpec {}

    /** A directory on the scratch disk that lives as long as the pod. */
    record EmptyDir() implements VolumeSpec {}

    /** An emptyDir of large pages. */
    record Hugepages(long pageBytes) implements VolumeSpec {}

    /** An emptyDir in guest memory; 0: no limit of its own. */
    record Memory(long bytes) implements VolumeSpec {}
}
