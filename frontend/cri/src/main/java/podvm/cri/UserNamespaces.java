package podvm.cri;

import java.util.List;
import java.util.Optional;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.UserMapping;
import podvm.proto.cri.v1.IDMapping;
import podvm.proto.cri.v1.NamespaceMode;
import podvm.proto.cri.v1.NamespaceOption;

/** Reads who a pod's users are in its machine: one range each of users and groups. */
final class UserNamespaces {
    private static final String FIELD = "userns_options";

    private UserNamespaces() {}

    /** Empty where the machine's own users are asked for. */
    static Optional<UserMapping> read(String where, NamespaceOption options) throws PodException {
        if (!options.hasUsernsOptions()) {
            return Optional.empty();
        }
        var users = options.getUsernsOptions();
        if (users.getMode() == NamespaceMode.NODE) {
            if (users.getUidsCount() + users.getGidsCount() > 0) {
                throw wrong(
                        where, "a mapping is given, but mode NODE", "leave uids and gids unset");
            }
            return Optional.empty();
        }
        if (users.getMode() != NamespaceMode.POD) {
            throw Namespaces.unsupported(
                    where + FIELD, "mode " + users.getMode() + " is none of POD and NODE");
        }
        var uids = one(where, users.getUidsList());
        var gids = one(where, users.getGidsList());
        if (uids.getLength() != gids.getLength()) {
            throw wrong(where, "users and groups are ranges of different length", "");
        }
        return Optional.of(new UserMapping(uids.getHostId(), gids.getHostId(), uids.getLength()));
    }

    private static IDMapping one(String where, List<IDMapping> mappings) throws PodException {
        if (mappings.size() != 1) {
            throw wrong(
                    where,
                    mappings.size() + " mappings are given",
                    "give one of users and one of groups");
        }
        var mapping = mappings.getFirst();
        if (mapping.getContainerId() != 0) {
            throw wrong(where, "the container's root is not mapped", "begin with container_id 0");
        }
        long end = (long) mapping.getHostId() + mapping.getLength();
        if (mapping.getHostId() <= 0 || mapping.getLength() <= 0 || end > Integer.MAX_VALUE) {
            throw wrong(
                    where,
                    "host_id %d and length %d are no range of users other than root"
                            .formatted(mapping.getHostId(), mapping.getLength()),
                    "use numbers from 1 to 2147483647");
        }
        return mapping;
    }

    /** A pod has one user namespace. */
    static void checkSame(Optional<UserMapping> container, Optional<UserMapping> sandbox)
            throws PodException {
        if (!container.equals(sandbox)) {
            throw wrong(
                    "config.linux.security_context.namespace_options.",
                    "its pod sandbox has another one",
                    "set it as the sandbox has it");
        }
    }

    private static PodException wrong(String where, String what, String remedy) {
        return new PodException(Kind.INVALID, "wrong " + where + FIELD + ": " + what, remedy);
    }
}
