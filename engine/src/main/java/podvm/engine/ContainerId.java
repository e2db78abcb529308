package podvm.engine;

/** One attempt to run a container: 32 hex digits, never used twice. */
public record ContainerId(String text) {
    public static ContainerId random() {
        return new ContainerId(PodId.randomHex());
    }

    public String brief() {
        return text.substring(0, 12);
    }

    @Override
    public String toString() {
        return text;
    }
}
