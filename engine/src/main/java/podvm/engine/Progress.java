package podvm.engine;

/** Hears how long work gets on. Calls may come from several threads. */
@FunctionalInterface
public interface Progress {
    Progress NONE = (_, _, _) -> {};

    /**
     * @param step what is done, e.g. "layer 3f1c9d" or "manifest"
     * @param done bytes so far
     * @param total bytes in all; -1 when not known
     */
    void at(String step, long done, long total);
}
