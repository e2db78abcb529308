package podvm.engine;

/** When an image is fetched, as in Kubernetes. */
public enum PullPolicy {
    ALWAYS,
    IF_NOT_PRESENT,
    NEVER
}
