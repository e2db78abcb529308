package podvm.engine;

/** Connects pods. */
public interface Networks {
    PodNetwork attach(PodId pod, Deadline deadline) throws PodException, InterruptedException;

    /** The connection that an earlier daemon made for a pod that still runs. */
    PodNetwork find(PodId pod) throws PodException;

    /** Gives back what the pod has, known or not. */
    void destroy(PodId pod) throws PodException;
}
