package podvm.engine.pod;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.Agent.VolumeFile;
import podvm.engine.UserMapping;

/** What else follows from it that a pod's users are others in its machine. */
final class PodUsers {
    /**
     * The machine's network is not the user namespace's own, so that its capabilities count for
     * nothing there; ports below 1024 and pings are to work for its root all the same.
     */
    private static final Map<String, String> NETWORK =
            Map.of(
                    "net.ipv4.ip_unprivileged_port_start", "0",
                    "net.ipv4.ping_group_range", "0 2147483647");

    private PodUsers() {}

    /** What the pod asks for itself comes first. */
    static Map<String, String> sysctls(Map<String, String> asked, Optional<UserMapping> users) {
        if (users.isEmpty()) {
            return asked;
        }
        var all = new LinkedHashMap<>(NETWORK);
        all.putAll(asked);
        return all;
    }

    /** Files lie in the guest's memory, which cannot be shown with other owners. */
    static List<VolumeFile> owned(List<VolumeFile> files, Optional<UserMapping> users) {
        return users.map(mapping -> files.stream().map(file -> owned(file, mapping)).toList())
                .orElse(files);
    }

    private static VolumeFile owned(VolumeFile file, UserMapping users) {
        return new VolumeFile(
                file.path(),
                file.content(),
                file.mode(),
                users.firstUid() + Math.min(file.uid(), users.length() - 1),
                users.firstGid() + Math.min(file.gid(), users.length() - 1));
    }
}
