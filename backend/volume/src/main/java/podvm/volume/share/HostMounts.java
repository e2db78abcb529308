package podvm.volume.share;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import podvm.linux.ErrnoException;
import podvm.linux.MountCopy;
import podvm.linux.Place;

/** What is mounted on this host. */
final class HostMounts {
    private static final Path TABLE = Path.of("/proc/self/mountinfo");

    /** What would end a field is written as three octal digits (proc(5)). */
    private static final Pattern ESCAPED = Pattern.compile("\\\\([0-7]{3})");

    /**
     * Their files are made by the kernel while they are read, for whoever reads: here that would be
     * the daemon. None of them means anything in another machine. Magic numbers of linux/magic.h:
     * proc, sysfs, debugfs, tracefs, securityfs, configfs, efivarfs, pstore, selinuxfs, bpf,
     * cgroup, cgroup2, binfmt_misc, nsfs, mqueue, devpts, hugetlbfs.
     */
    private static final Set<Long> OF_KERNEL =
            Set.of(
                    0x9fa0L,
                    0x62656572L,
                    0x64626720L,
                    0x74726163L,
                    0x73636673L,
                    0x62656570L,
                    0xde5e81e4L,
                    0x6165676cL,
                    0xf97cff8cL,
                    0xcafe4a11L,
                    0x27e0ebL,
                    0x63677270L,
                    0x42494e4dL,
                    0x6e736673L,
                    0x19800202L,
                    0x1cd1L,
                    0x958458f6L);

    private HostMounts() {}

    static boolean ofKernel(Place place) throws ErrnoException {
        return OF_KERNEL.contains(place.space().type() & 0xffffffffL);
    }

    static boolean below(Path root) throws IOException {
        var table = new String(java.nio.file.Files.readAllBytes(TABLE), StandardCharsets.UTF_8);
        return table.lines().anyMatch(line -> below(root, line));
    }

    /** Number, parent, device, root, place, … (proc(5)). */
    static boolean below(Path root, String line) {
        var fields = line.split(" ", 6);
        if (fields.length < 6) {
            return false;
        }
        var place =
                ESCAPED.matcher(fields[4])
                        .replaceAll(one ->
                                Matcher.quoteReplacement(
                                        Character.toString(Integer.parseInt(one.group(1), 8))));
        var above = root.toString();
        return place.startsWith(above.endsWith("/") ? above : above + "/")
                && place.length() > above.length();
    }

    /** Whether this process may copy mounts. */
    static boolean canCopy(Place place) {
        try (var _ = MountCopy.of(place)) {
            return true;
        } catch (ErrnoException e) {
            return false;
        }
    }
}
