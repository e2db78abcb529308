package podvm.engine.pod;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/** The names of capabilities(7), up to Linux 5.9's newest. */
final class Capabilities {
    static final List<String> ALL =
            List.of(
                    "CHOWN",
                    "DAC_OVERRIDE",
                    "DAC_READ_SEARCH",
                    "FOWNER",
                    "FSETID",
                    "KILL",
                    "SETGID",
                    "SETUID",
                    "SETPCAP",
                    "LINUX_IMMUTABLE",
                    "NET_BIND_SERVICE",
                    "NET_BROADCAST",
                    "NET_ADMIN",
                    "NET_RAW",
                    "IPC_LOCK",
                    "IPC_OWNER",
                    "SYS_MODULE",
                    "SYS_RAWIO",
                    "SYS_CHROOT",
                    "SYS_PTRACE",
                    "SYS_PACCT",
                    "SYS_ADMIN",
                    "SYS_BOOT",
                    "SYS_NICE",
                    "SYS_RESOURCE",
                    "SYS_TIME",
                    "SYS_TTY_CONFIG",
                    "MKNOD",
                    "LEASE",
                    "AUDIT_WRITE",
                    "AUDIT_CONTROL",
                    "SETFCAP",
                    "MAC_OVERRIDE",
                    "MAC_ADMIN",
                    "SYSLOG",
                    "WAKE_ALARM",
                    "BLOCK_SUSPEND",
                    "AUDIT_READ",
                    "PERFMON",
                    "BPF",
                    "CHECKPOINT_RESTORE");

    /**
     * What the common container engines leave a container: capabilities(7) without the dangerous
     * ones.
     */
    private static final List<String> USUAL =
            List.of(
                    "CHOWN",
                    "DAC_OVERRIDE",
                    "FSETID",
                    "FOWNER",
                    "MKNOD",
                    "NET_RAW",
                    "SETGID",
                    "SETUID",
                    "SETFCAP",
                    "SETPCAP",
                    "NET_BIND_SERVICE",
                    "SYS_CHROOT",
                    "KILL",
                    "AUDIT_WRITE");

    private Capabilities() {}

    /**
     * The complete set as the guest's agent names them.
     *
     * @param add without "CAP_"; "ALL" possible, in both
     */
    static List<String> of(Set<String> add, Set<String> drop) {
        var result = new LinkedHashSet<String>();
        if (!drop.contains("ALL")) {
            result.addAll(USUAL);
        }
        if (add.contains("ALL")) {
            result.addAll(ALL);
        }
        result.removeAll(drop);
        add.stream().filter(name -> !name.equals("ALL")).forEach(result::add);
        return named(result);
    }

    static List<String> named(Collection<String> names) {
        return names.stream().map(name -> "CAP_" + name).toList();
    }
}
