package podvm.machine.qemu;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Optional;
import java.util.Set;
import podvm.machine.VmmUser;

/** The file through which QEMU reaches KVM, and who may open it. */
record KvmDevice(Path file) {
    /** The group that distributions give it to. */
    private static final String USUAL_GROUP = "kvm";

    private static final String OUTER =
            "enable virtualization in the firmware or the outer hypervisor";

    boolean exists() {
        return Files.exists(file);
    }

    /** Changes when access is granted or taken while the host runs. */
    String identity() throws IOException {
        return exists()
                ? "%s:%s:%s"
                        .formatted(
                                Files.getAttribute(file, "unix:mode"),
                                Files.getAttribute(file, "unix:gid"),
                                Files.isReadable(file) && Files.isWritable(file))
                : "none";
    }

    AcceleratorProbe.Verdict absent() {
        return AcceleratorProbe.Verdict.tcg(
                "this host has no " + file, OUTER + ", or load the module kvm_intel or kvm_amd");
    }

    AcceleratorProbe.Verdict broken(String what) {
        return AcceleratorProbe.Verdict.tcg(file + " exists, but a probe boot " + what, OUTER);
    }

    /**
     * @param user whom the VMM runs as; empty: as the daemon
     */
    AcceleratorProbe.Verdict denied(Optional<VmmUser> user) throws IOException {
        var who = user.map(VmmUser::name).orElseGet(() -> System.getProperty("user.name", "?"));
        var attributes = Files.readAttributes(file, PosixFileAttributes.class);
        var group = attributes.group().getName();
        var reason =
                "%s cannot be opened by user %s, whom machines run as: it belongs to %s:%s, mode %s"
                        .formatted(
                                file,
                                who,
                                attributes.owner().getName(),
                                group,
                                PosixFilePermissions.toString(attributes.permissions()));
        if (openToGroup(attributes.permissions()) && !group.equals("root")) {
            return AcceleratorProbe.Verdict.tcg(
                    reason,
                    user.isEmpty()
                            ? join(who, group) + ", log in again and restart podvmd"
                            : "see what else denies it: a device cgroup or a security module");
        }
        // there is no group to join, or only root's, which a VMM must not have
        return AcceleratorProbe.Verdict.tcg(
                reason,
                "open it to a group: put KERNEL==\"kvm\", GROUP=\""
                        + USUAL_GROUP
                        + "\", MODE=\"0660\" into /etc/udev/rules.d/65-kvm.rules and run udevadm"
                        + " trigger "
                        + file
                        + (user.isEmpty() ? "; then " + join(who, USUAL_GROUP) : "")
                        + "; then restart podvmd");
    }

    private static String join(String user, String group) {
        return "sudo usermod -aG " + group + " " + user;
    }

    private static boolean openToGroup(Set<PosixFilePermission> permissions) {
        return permissions.containsAll(
                Set.of(PosixFilePermission.GROUP_READ, PosixFilePermission.GROUP_WRITE));
    }
}
