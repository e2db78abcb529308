package podvm.engine.seccomp;

/**
 * An instruction of the kernel's filter machine: struct sock_filter of linux/filter.h.
 *
 * @param whenTrue how many instructions are skipped then, up to 255
 */
record Instruction(int code, int whenTrue, int whenFalse, int value) {
    // linux/bpf_common.h
    private static final int LOAD = 0x20;
    private static final int JUMP = 0x05;
    private static final int RETURN = 0x06;
    private static final int AND = 0x54;
    static final int EQUAL = 0x15;
    static final int GREATER = 0x25;
    static final int AT_LEAST = 0x35;

    static Instruction load(int offset) {
        return new Instruction(LOAD, 0, 0, offset);
    }

    static Instruction and(int mask) {
        return new Instruction(AND, 0, 0, mask);
    }

    static Instruction skip(int count) {
        return new Instruction(JUMP, 0, 0, count);
    }

    static Instruction end(int verdict) {
        return new Instruction(RETURN, 0, 0, verdict);
    }

    static Instruction when(int comparison, int value, int whenTrue, int whenFalse) {
        if (whenTrue > 255 || whenFalse > 255) {
            throw new IllegalArgumentException("too far to jump: " + whenTrue + ", " + whenFalse);
        }
        return new Instruction(comparison, whenTrue, whenFalse, value);
    }
}
