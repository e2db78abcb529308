package podvm.network.cni;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** A version of the CNI specification. */
record CniVersion(int major, int minor, int patch) implements Comparable<CniVersion> {
    static final CniVersion V0_3_0 = new CniVersion(0, 3, 0);
    static final CniVersion V0_4_0 = new CniVersion(0, 4, 0);
    static final CniVersion V1_0_0 = new CniVersion(1, 0, 0);
    static final CniVersion V1_1_0 = new CniVersion(1, 1, 0);

    /** Those that we speak. Before 0.3.0 there were no chains, and results of another form. */
    static final List<CniVersion> SPOKEN =
            List.of(V0_3_0, new CniVersion(0, 3, 1), V0_4_0, V1_0_0, V1_1_0);

    private static final Pattern FORM = Pattern.compile("(\\d{1,3})\\.(\\d{1,3})\\.(\\d{1,3})");
    private static final Comparator<CniVersion> ORDER =
            Comparator.comparingInt(CniVersion::major)
                    .thenComparingInt(CniVersion::minor)
                    .thenComparingInt(CniVersion::patch);

    static Optional<CniVersion> parse(String text) {
        var parts = FORM.matcher(text);
        return parts.matches()
                ? Optional.of(
                        new CniVersion(
                                Integer.parseInt(parts.group(1)),
                                Integer.parseInt(parts.group(2)),
                                Integer.parseInt(parts.group(3))))
                : Optional.empty();
    }

    /** The newest of them that we speak and that is not newer than this one. */
    Optional<CniVersion> newestAmong(Collection<CniVersion> versions) {
        return versions.stream()
                .filter(SPOKEN::contains)
                .filter(version -> version.compareTo(this) <= 0)
                .max(ORDER);
    }

    boolean atLeast(CniVersion other) {
        return compareTo(other) >= 0;
    }

    @Override
    public int compareTo(CniVersion other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return major + "." + minor + "." + patch;
    }
}
