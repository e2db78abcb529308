package podvm.engine.seccomp;

import java.util.List;
import java.util.Set;

/**
 * What system calls a container's processes may make, as profiles of the OCI runtime specification
 * and of the containers project say it.
 *
 * @param architectures beside the guest's own, such as "SCMP_ARCH_X86"; calls of others are killed
 * @param rules those that do not hold on this kind of machine are left out
 */
public record SeccompProfile(Action defaultAction, List<String> architectures, List<Rule> rules) {

    /**
     * @param number the error for {@link What#ERRNO}, the message for {@link What#TRACE}; else 0
     */
    public record Action(What what, int number) {
        public static final Action ALLOW = new Action(What.ALLOW, 0);
        public static final Action KILL = new Action(What.KILL_THREAD, 0);
    }

    /** In the words of seccomp(2). */
    public enum What {
        KILL_PROCESS,
        KILL_THREAD,
        TRAP,
        ERRNO,
        TRACE,
        LOG,
        ALLOW
    }

    /**
     * @param names of calls; those that the guest does not have are left out
     * @param conditions all of them must hold
     * @param needed the rule counts only where the container has all of these capabilities
     *     ("CAP_CHOWN")
     * @param forbidden it does not count where the container has one of these
     */
    public record Rule(
            List<String> names,
            Action action,
            List<Condition> conditions,
            Set<String> needed,
            Set<String> forbidden) {}

    /**
     * A comparison of an argument, as an unsigned number of 64 bits.
     *
     * @param argument 0 to 5
     * @param value the mask for {@link Comparison#MASKED_EQUAL}
     * @param masked what is left of the argument under that mask; else unused
     */
    public record Condition(int argument, Comparison comparison, long value, long masked) {}

    public enum Comparison {
        NOT_EQUAL,
        LESS,
        LESS_OR_EQUAL,
        EQUAL,
        GREATER_OR_EQUAL,
        GREATER,
        MASKED_EQUAL
    }
}
