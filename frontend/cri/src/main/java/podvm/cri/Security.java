package podvm.cri;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.GroupsPolicy;
import podvm.engine.ContainerConfig.Seccomp;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.seccomp.SeccompProfile;
import podvm.proto.cri.v1.LinuxContainerSecurityContext;
import podvm.proto.cri.v1.SELinuxOption;
import podvm.proto.cri.v1.SecurityProfile;
import podvm.proto.cri.v1.SupplementalGroupsPolicy;

/** Reads what a container may do, and as whom. */
final class Security {
    private static final String WHERE = "config.linux.security_context.";
    private static final String CAP = "CAP_";

    /** Of a seccomp profile: the kubelet's own profiles have some 20 KiB. */
    private static final int LARGEST_PROFILE = 1 << 20;

    private Security() {}

    static ContainerConfig.Security read(LinuxContainerSecurityContext context)
            throws PodException {
        var capabilities = context.getCapabilities();
        return new ContainerConfig.Security(
                context.getPrivileged(),
                user(context),
                groups(context.getSupplementalGroupsList()),
                policy(context),
                names(capabilities.getAddCapabilitiesList()),
                names(capabilities.getDropCapabilitiesList()),
                names(capabilities.getAddAmbientCapabilitiesList()),
                context.getReadonlyRootfs(),
                context.getNoNewPrivs(),
                context.getMaskedPathsList(),
                context.getReadonlyPathsList(),
                seccomp(context),
                apparmor(context),
                label(context.getSelinuxOptions()));
    }

    private static ContainerConfig.User user(LinuxContainerSecurityContext context)
            throws PodException {
        var name = context.getRunAsUsername();
        if (context.hasRunAsUser() && !name.isEmpty()) {
            throw new PodException(
                    Kind.INVALID,
                    "both " + WHERE + "run_as_user and run_as_username are set",
                    "set one");
        }
        if (context.hasRunAsGroup() && !context.hasRunAsUser() && name.isEmpty()) {
            throw new PodException(
                    Kind.INVALID,
                    WHERE + "run_as_group is set without a user",
                    "set run_as_user or run_as_username as well");
        }
        Optional<Integer> uid =
                context.hasRunAsUser()
                        ? Optional.of(number("run_as_user", context.getRunAsUser().getValue()))
                        : Optional.empty();
        Optional<Integer> gid =
                context.hasRunAsGroup()
                        ? Optional.of(number("run_as_group", context.getRunAsGroup().getValue()))
                        : Optional.empty();
        return new ContainerConfig.User(uid, gid, name);
    }

    private static int number(String field, long value) throws PodException {
        if (value < 0 || value > Integer.MAX_VALUE) {
            throw new PodException(
                    Kind.INVALID,
                    WHERE + field + " is not a user's or group's number: " + value,
                    "use 0 to 2147483647");
        }
        return (int) value;
    }

    private static List<Integer> groups(List<Long> all) throws PodException {
        var groups = new ArrayList<Integer>();
        for (var group : all) {
            groups.add(number("supplemental_groups", group));
        }
        return List.copyOf(groups);
    }

    private static GroupsPolicy policy(LinuxContainerSecurityContext context) throws PodException {
        return switch (context.getSupplementalGroupsPolicy()) {
            case SupplementalGroupsPolicy.Merge -> GroupsPolicy.MERGE;
            case SupplementalGroupsPolicy.Strict -> GroupsPolicy.STRICT;
            case SupplementalGroupsPolicy.UNRECOGNIZED ->
                    throw new PodException(
                            Kind.INVALID,
                            "unknown %ssupplemental_groups_policy %d"
                                    .formatted(WHERE, context.getSupplementalGroupsPolicyValue()),
                            "use Merge or Strict");
        };
    }

    private static Set<String> names(List<String> capabilities) {
        return capabilities.stream()
                .map(name -> name.toUpperCase(Locale.ROOT))
                .map(name -> name.startsWith(CAP) ? name.substring(CAP.length()) : name)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /** Without a profile nothing is filtered, as with other runtimes: the kubelet asks for one. */
    private static Seccomp seccomp(LinuxContainerSecurityContext context) throws PodException {
        if (!context.hasSeccomp() || context.getPrivileged()) {
            return new Seccomp.Unconfined();
        }
        var profile = context.getSeccomp();
        return switch (profile.getProfileType()) {
            case SecurityProfile.ProfileType.RuntimeDefault -> new Seccomp.RuntimeDefault();
            case SecurityProfile.ProfileType.Unconfined -> new Seccomp.Unconfined();
            case SecurityProfile.ProfileType.Localhost ->
                    new Seccomp.Localhost(profile(profile.getLocalhostRef()));
            case SecurityProfile.ProfileType.UNRECOGNIZED ->
                    throw new PodException(
                            Kind.INVALID,
                            "unknown " + WHERE + "seccomp " + profile.getProfileTypeValue(),
                            "");
        };
    }

    private static SeccompProfile profile(String reference) throws PodException {
        var file = Paths.any(reference.replaceFirst("^localhost/", ""));
        try {
            if (!file.isAbsolute() || Files.size(file) > LARGEST_PROFILE) {
                throw new PodException(
                        Kind.INVALID,
                        "not the absolute path of a seccomp profile of at most 1 MiB: " + file,
                        "");
            }
            return SeccompProfiles.parse(file.toString(), Files.readString(file));
        } catch (IOException e) {
            throw new PodException(
                    Kind.INVALID,
                    "cannot read the seccomp profile " + file + ": " + e.getMessage(),
                    "put it where the pod's localhostProfile says, below the kubelet's seccomp directory",
                    e);
        }
    }

    private static String apparmor(LinuxContainerSecurityContext context) throws PodException {
        if (!context.hasApparmor()) {
            return "";
        }
        var profile = context.getApparmor();
        return switch (profile.getProfileType()) {
            case SecurityProfile.ProfileType.RuntimeDefault -> "runtime/default";
            case SecurityProfile.ProfileType.Unconfined -> "unconfined";
            case SecurityProfile.ProfileType.Localhost -> profile.getLocalhostRef();
            case SecurityProfile.ProfileType.UNRECOGNIZED ->
                    throw new PodException(
                            Kind.INVALID,
                            "unknown " + WHERE + "apparmor " + profile.getProfileTypeValue(),
                            "");
        };
    }

    private static String label(SELinuxOption option) {
        var parts =
                List.of(option.getUser(), option.getRole(), option.getType(), option.getLevel());
        return parts.stream().allMatch(String::isEmpty) ? "" : String.join(":", parts);
    }
}
