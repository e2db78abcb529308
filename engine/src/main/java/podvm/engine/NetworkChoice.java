package podvm.engine;

/** Which of the node's networks a pod belongs to. */
public sealed interface NetworkChoice {
    /** The VMM's own: it reaches out and cannot be reached. */
    record User() implements NetworkChoice {}

    /** The one that this node's pods of a cluster have. */
    record Cluster() implements NetworkChoice {}

    /** The one that is configured under this name. */
    record Named(String name) implements NetworkChoice {}
}
