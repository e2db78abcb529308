package podvm.agent;

import java.time.Instant;

/** Numbers that the guest chose, brought into the range that they have on a sane machine. */
final class GuestNumbers {
    private static final int MAX_SIGNAL = 64;

    private GuestNumbers() {}

    static int exitCode(int code) {
        return code & 0xff;
    }

    /** 0 for what is no signal. */
    static int signal(int signal) {
        return signal < 0 || signal > MAX_SIGNAL ? 0 : signal;
    }

    /**
     * @param nanos unsigned, since 1970; what exceeds the year 2262 is taken for that year
     */
    static Instant time(long nanos) {
        return Instant.ofEpochSecond(0, nanos < 0 ? Long.MAX_VALUE : nanos);
    }

    static long size(long bytes) {
        return Math.max(0, bytes);
    }
}
