package podvm.node.manifest;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import podvm.engine.ContainerSpec.SecuritySpec;

/** The securityContext of a pod, and of a container merged with it. */
final class SecurityReader {
    private static final long LARGEST_ID = Integer.MAX_VALUE;

    /** Linux 6.x, include/uapi/linux/capability.h. */
    private static final Set<String> CAPABILITIES =
            Set.of(
                    """
                    CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
                    LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK
                    IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN
                    SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE
                    AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND
                    AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE ALL
                    """
                            .strip()
                            .split("\\s+"));

    private SecurityReader() {}

    /** What the pod says for all its containers. */
    record PodSecurity(
            Optional<Integer> runAsUser,
            Optional<Integer> runAsGroup,
            boolean runAsNonRoot,
            List<Integer> supplementalGroups,
            boolean seccompUnconfined) {
        static final PodSecurity NOTHING =
                new PodSecurity(Optional.empty(), Optional.empty(), false, List.of(), false);
    }

    static PodSecurity pod(Mapping spec) {
        var context = spec.mapping("securityContext");
        if (context.isEmpty()) {
            return PodSecurity.NOTHING;
        }
        var fields = context.get();
        var groups =
                fields.get("supplementalGroups").map(Value::list).orElse(List.of()).stream()
                        .flatMap(value -> value.integer(0, LARGEST_ID).stream())
                        .map(Math::toIntExact)
                        .toList();
        var security =
                new PodSecurity(
                        id(fields, "runAsUser"),
                        id(fields, "runAsGroup"),
                        fields.flag("runAsNonRoot", false),
                        groups,
                        seccompUnconfined(fields).orElse(false));
        fields.finish(KubernetesFields.POD_SECURITY);
        return security;
    }

    static SecuritySpec container(Mapping container, PodSecurity pod) {
        var context = container.mapping("securityContext");
        if (context.isEmpty()) {
            return merge(pod);
        }
        var fields = context.get();
        var user = id(fields, "runAsUser").or(pod::runAsUser);
        var nonRoot = fields.flag("runAsNonRoot", pod.runAsNonRoot());
        var privileged = fields.flag("privileged", false);
        var escalation = fields.flag("allowPrivilegeEscalation", true);
        var readOnly = fields.flag("readOnlyRootFilesystem", false);
        var capabilities = fields.mapping("capabilities");
        var add = capabilities.map(c -> capabilities(c, "add")).orElse(Set.of());
        var drop = capabilities.map(c -> capabilities(c, "drop")).orElse(Set.of());
        capabilities.ifPresent(c -> c.finish(KubernetesFields.CAPABILITIES));
        fields.choice("procMount", Set.of("Default"));
        if (nonRoot && user.isPresent() && user.get() == 0) {
            fields.problem("runAsNonRoot forbids runAsUser 0");
        }
        if (!escalation && (privileged || add.contains("SYS_ADMIN"))) {
            fields.problem(
                    "allowPrivilegeEscalation must not be false where privileged or SYS_ADMIN is"
                            + " given");
        }
        var spec =
                new SecuritySpec(
                        user,
                        id(fields, "runAsGroup").or(pod::runAsGroup),
                        nonRoot,
                        pod.supplementalGroups(),
                        privileged,
                        escalation,
                        readOnly,
                        seccompUnconfined(fields).orElse(pod.seccompUnconfined()),
                        add,
                        drop);
        fields.finish(KubernetesFields.CONTAINER_SECURITY);
        return spec;
    }

    private static SecuritySpec merge(PodSecurity pod) {
        return new SecuritySpec(
                pod.runAsUser(),
                pod.runAsGroup(),
                pod.runAsNonRoot(),
                pod.supplementalGroups(),
                false,
                true,
                false,
                pod.seccompUnconfined(),
                Set.of(),
                Set.of());
    }

    private static Optional<Integer> id(Mapping fields, String name) {
        return fields.get(name).flatMap(v -> v.integer(0, LARGEST_ID)).map(Math::toIntExact);
    }

    private static Optional<Boolean> seccompUnconfined(Mapping fields) {
        var profile = fields.mapping("seccompProfile");
        if (profile.isEmpty()) {
            return Optional.empty();
        }
        profile.get().require("type");
        var type = profile.get().choice("type", Set.of("RuntimeDefault", "Unconfined"));
        profile.get().finish(KubernetesFields.SECCOMP);
        return type.map("Unconfined"::equals);
    }

    private static Set<String> capabilities(Mapping fields, String list) {
        var names = new LinkedHashSet<String>();
        for (var value : fields.get(list).map(Value::list).orElse(List.of())) {
            var text = value.text();
            if (text.isEmpty()) {
                continue;
            }
            var name = text.get().toUpperCase(Locale.ROOT).replaceFirst("^CAP_", "");
            if (!CAPABILITIES.contains(name)) {
                value.problem(
                        "no such capability: " + text.get() + Suggestion.among(CAPABILITIES, name));
            }
            names.add(name);
        }
        return names;
    }
}
