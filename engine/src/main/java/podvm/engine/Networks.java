package podvm.engine;

import java.util.List;
import podvm.engine.NetworkRequest.PortMapping;

/** Connects pods. */
public interface Networks {
    /**
     * Fails with INVALID, NOT_FOUND or UNSUPPORTED where a pod cannot be connected so: told before
     * anything is made.
     */
    void check(NetworkChoice network, List<PortMapping> ports) throws PodException;

    /**
     * Makes what the pod's machine boots with. The connection is made by {@link
     * PodNetwork#connect}, which may go on while the machine boots.
     */
    PodNetwork attach(NetworkRequest request, Deadline deadline)
            throws PodException, InterruptedException;

    /** The connection that an earlier daemon made for a pod that still runs. */
    PodNetwork find(PodId pod) throws PodException;

    /** Pods of which something is left on this node: what no journal knows is to be removed. */
    List<PodId> leftovers() throws PodException;

    /** Gives back what the pod has, known or not. */
    void destroy(PodId pod) throws PodException;

    /** Whether pods of a cluster can be connected now. */
    Readiness readiness() throws InterruptedException;

    /**
     * @param reason in one word, for programs; empty where it is ready
     * @param message for people, with what to do
     */
    record Readiness(boolean ready, String reason, String message) {
        public static final Readiness READY = new Readiness(true, "", "");
    }
}
