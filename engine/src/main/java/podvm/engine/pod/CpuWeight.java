package podvm.engine.pod;

/** A container's share of CPU time in cgroup v2's terms, as in KEP-2254. */
final class CpuWeight {
    private CpuWeight() {}

    static int ofShares(long shares) {
        return (int) (1 + (Math.clamp(shares, 2, 262_144) - 2L) * 9999 / 262_142);
    }

    /**
     * @param millis thousandths of a CPU
     */
    static int ofMillis(long millis) {
        return ofShares(millis * 1024 / 1000);
    }
}
