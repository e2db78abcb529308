package podvm.engine;

import java.util.Optional;

/** Where on its node a machine runs. */
public interface MachinePlacement {
    /** Fails with INVALID where the node lacks what is named, and says what of it. */
    void check(Place place) throws PodException;

    /**
     * Has all that the machine does happen there, from now on, also when another daemon has adopted
     * it. Returns what of it has no effect, and why.
     */
    Optional<String> put(Place place) throws PodException;

    /**
     * @param cpus of the node; none: all that the daemon may use
     * @param memoryNodes none: all
     */
    record Place(NumberList cpus, NumberList memoryNodes) {
        public static final Place ANYWHERE = new Place(NumberList.NONE, NumberList.NONE);
    }
}
