package podvm.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * The user a VMM runs as when the daemon is root. It needs to own nothing: sockets and disks come
 * to it as open descriptors.
 *
 * @param deviceGroup owner group of /dev/kvm, where the VMM needs it
 */
public record VmmUser(String name, int uid, int gid, OptionalInt deviceGroup) {
    private static final String NAME = "podvm";
    private static final int GROUP_MAY_OPEN = 0060;
    private static final int ROOT = 0;
    private static final Path SETPRIV = Path.of("/usr/bin/setpriv");
    private static final Path KVM = Path.of("/dev/kvm");

    /** The user "podvm" where there is one, else nobody. */
    public static VmmUser find(boolean kvm) throws PodException {
        try {
            var group = kvm && Files.exists(KVM) ? groupOf(KVM) : OptionalInt.empty();
            for (var line : Files.readAllLines(Path.of("/etc/passwd"))) {
                var fields = line.split(":");
                if (fields.length > 3 && fields[0].equals(NAME)) {
                    var uid = Integer.parseInt(fields[2]);
                    return new VmmUser(NAME, uid, Integer.parseInt(fields[3]), group);
                }
            }
            return new VmmUser("nobody", 65534, 65534, group);
        } catch (IOException e) {
            throw new PodException(Kind.UNAVAILABLE, "cannot read /etc/passwd: " + e, "", e);
        }
    }

    /** Empty where it would not help, and where it is root's, which opens too much else. */
    static OptionalInt groupOf(Path device) throws IOException {
        var mode = (int) Files.getAttribute(device, "unix:mode");
        var group = (int) Files.getAttribute(device, "unix:gid");
        return (mode & GROUP_MAY_OPEN) == GROUP_MAY_OPEN && group != ROOT
                ? OptionalInt.of(group)
                : OptionalInt.empty();
    }

    /**
     * The command that runs another as this user. A program of util-linux does it, since neither
     * posix_spawn can, nor QEMU's own -runas while its seccomp filter denies setuid. With the
     * owner's rights gone it also gives up those that set-uid programs would bring.
     */
    public List<String> run(List<String> command) throws PodException {
        if (!Files.isExecutable(SETPRIV)) {
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "cannot run a VMM as user " + name + ": there is no " + SETPRIV,
                    "install util-linux");
        }
        var whole =
                new ArrayList<>(
                        List.of(
                                SETPRIV.toString(),
                                "--reuid=" + uid,
                                "--regid=" + gid,
                                deviceGroup.isPresent()
                                        ? "--groups=" + deviceGroup.getAsInt()
                                        : "--clear-groups",
                                "--inh-caps=-all",
                                "--no-new-privs",
                                "--"));
        whole.addAll(command);
        return whole;
    }
}
