package podvm.engine;

import java.util.List;
import java.util.Optional;

/** A node's templates as who looks after the node sees them. */
public interface MachineTemplates {
    List<Templates.Status> list() throws PodException;

    /**
     * Makes one, in place of one of the same shape; returns when machines can start from it. A node
     * that makes none refuses with UNSUPPORTED.
     */
    Templates.Status build(Wish wish) throws PodException, InterruptedException;

    /** Removes all of them, and what is known of failures; returns how many there were. */
    int prune() throws PodException;

    /** Of a node where every machine boots on its own. */
    MachineTemplates NONE =
            new MachineTemplates() {
                @Override
                public List<Templates.Status> list() {
                    return List.of();
                }

                @Override
                public Templates.Status build(Wish wish) throws PodException {
                    throw new PodException(
                            PodException.Kind.UNSUPPORTED,
                            "this node makes no templates",
                            "set machine.templates to how many it may keep");
                }

                @Override
                public int prune() {
                    return 0;
                }
            };

    /**
     * For which pods.
     *
     * @param cpuMillis limit of all containers together; empty: there is none
     * @param memoryBytes likewise
     * @param namespace counts where templates are not shared by all
     */
    record Wish(
            Optional<Long> cpuMillis,
            Optional<Long> memoryBytes,
            Network network,
            String namespace) {}

    /** What the pods are connected to. */
    enum Network {
        USER,
        CNI
    }
}
