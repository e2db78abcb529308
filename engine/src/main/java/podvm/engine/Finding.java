package podvm.engine;

/** One prerequisite, as podvm doctor tells it. */
public record Finding(String name, State state, String version, String detail, String remedy) {
    public enum State {
        OK,
        /** PodVM works without it, less well. */
        WARNING,
        MISSING
    }
}
