package podvm.engine;

/** Connects pods. */
public interface Networks {
    PodNetwork attach(PodId pod, Deadline deadline) throws PodException, InterruptedException;
}
