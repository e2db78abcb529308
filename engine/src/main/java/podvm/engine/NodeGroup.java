package podvm.engine;

/**
 * The cgroup of the node that a machine's process is put below, as whoever asks for a pod names it.
 *
 * @param parent "/kubepods/burstable/pod1" or "kubepods-burstable-pod1.slice"
 * @param cpuShares what its containers and its overhead add up to; 0: nobody says
 * @param limited its overhead is known: only then can its memory be limited
 */
public record NodeGroup(String parent, long cpuShares, boolean limited) {}
