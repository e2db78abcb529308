package podvm.machine.qemu;

/**
 * Which templates this node keeps.
 *
 * @param most 0: none, every machine boots on its own
 * @param mostMib memory of all together; 0: as much as they take
 */
public record TemplateRules(int most, int mostMib, Sharing sharing) {
    public static final TemplateRules NONE = new TemplateRules(0, 0, Sharing.NODE);

    /** Whose pods start from the same template. */
    public enum Sharing {
        NODE,
        /** Those of one Kubernetes namespace. */
        NAMESPACE
    }
}
