package podvm.node.manifest;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import podvm.engine.NetworkChoice;
import podvm.engine.PodSpec;
import podvm.engine.PodSpec.HostAlias;
import podvm.engine.PodSpec.RestartPolicy;

/** A Pod. */
final class PodReader {
    private static final Map<String, RestartPolicy> RESTART_POLICIES =
            Map.of(
                    "Always", RestartPolicy.ALWAYS,
                    "OnFailure", RestartPolicy.ON_FAILURE,
                    "Never", RestartPolicy.NEVER);

    /** Fields that mean nothing on a single node, and the words that ask for just that. */
    private static final Map<String, Set<String>> ONLY_WORDS =
            Map.of(
                    "dnsPolicy", Set.of("ClusterFirst", "Default"),
                    "schedulerName", Set.of("default-scheduler"),
                    "serviceAccount", Set.of("default"),
                    "serviceAccountName", Set.of("default"),
                    "preemptionPolicy", Set.of("PreemptLowerPriority"));

    private static final Map<String, Boolean> ONLY_FLAGS =
            Map.of(
                    "automountServiceAccountToken", false,
                    "hostNetwork", false,
                    "hostPID", false,
                    "hostIPC", false,
                    "shareProcessNamespace", false,
                    "setHostnameAsFQDN", false,
                    "hostUsers", true);

    private static final long LONGEST_GRACE = Duration.ofDays(365).toSeconds();

    private final ConfigObjects configs;

    PodReader(ConfigObjects configs) {
        this.configs = configs;
    }

    Optional<PodSpec> read(Mapping object) {
        var metadata = Metadata.read(object);
        var spec = object.require("spec").flatMap(Value::mapping);
        object.get("status")
                .filter(status -> !status.isEmptyMapping())
                .ifPresent(PodReader::refuse);
        object.finish(KubernetesFields.POD);
        if (spec.isEmpty()) {
            return Optional.empty();
        }
        var known = metadata.orElse(new Metadata("default", "unnamed", Map.of(), Map.of()));
        var pod = pod(spec.get(), known);
        return metadata.isPresent() ? Optional.of(pod) : Optional.empty();
    }

    private static void refuse(Value status) {
        status.problem("not honoured by podvm run: " + KubernetesFields.POD.why("status"));
    }

    private PodSpec pod(Mapping spec, Metadata metadata) {
        var volumes = new VolumeReader(configs, metadata.namespace()).read(spec);
        var security = SecurityReader.pod(spec);
        var containers =
                new ContainerReader(configs, metadata.namespace(), volumes.keySet(), security);
        var initContainers = containers.read(spec, "initContainers");
        var mainContainers = containers.read(spec, "containers");
        if (spec.require("containers").isPresent() && spec.mappings("containers").isEmpty()) {
            spec.problem("must have at least one container");
        }
        var restart = spec.choice("restartPolicy", RESTART_POLICIES.keySet()).orElse("Always");
        var pod =
                new PodSpec(
                        metadata.namespace(),
                        metadata.name(),
                        metadata.labels(),
                        metadata.annotations(),
                        hostname(spec, metadata.name()),
                        label(spec, "subdomain").orElse(""),
                        hostAliases(spec),
                        RESTART_POLICIES.getOrDefault(restart, RestartPolicy.ALWAYS),
                        grace(spec),
                        initContainers,
                        mainContainers,
                        VolumeReader.sized(
                                volumes,
                                Stream.concat(initContainers.stream(), mainContainers.stream())
                                        .toList(),
                                spec),
                        new NetworkChoice.User(),
                        containers.ports());
        onlyDefaults(spec);
        spec.finish(KubernetesFields.POD_SPEC);
        return pod;
    }

    private static Duration grace(Mapping spec) {
        return Duration.ofSeconds(
                spec.get("terminationGracePeriodSeconds")
                        .flatMap(value -> value.integer(0, LONGEST_GRACE))
                        .orElse(30L));
    }

    private static String hostname(Mapping spec, String podName) {
        return label(spec, "hostname").orElseGet(() -> PodSpec.hostname(podName));
    }

    private static Optional<String> label(Mapping spec, String field) {
        var value = spec.get(field);
        var text = value.flatMap(Value::text);
        if (value.isPresent() && text.isPresent() && !Names.isLabel(text.get())) {
            value.get().problem("must be " + Names.LABEL_FORM + ", not " + text.get());
        }
        return text;
    }

    private static List<HostAlias> hostAliases(Mapping spec) {
        return spec.mappings("hostAliases").stream().map(PodReader::hostAlias).toList();
    }

    private static HostAlias hostAlias(Mapping fields) {
        var ip = fields.requireText("ip").orElse("");
        if (!ip.isEmpty() && !IpAddress.isValid(ip)) {
            fields.problem("ip must be an IPv4 or IPv6 address, not " + ip);
        }
        var names = fields.get("hostnames").map(Value::list).orElse(List.of());
        for (var name : names) {
            var text = name.text();
            if (text.isPresent() && !Names.isSubdomain(text.get())) {
                name.problem("must be " + Names.SUBDOMAIN_FORM + ", not " + text.get());
            }
        }
        fields.finish(KubernetesFields.HOST_ALIAS);
        return new HostAlias(ip, names.stream().flatMap(name -> name.text().stream()).toList());
    }

    private static void onlyDefaults(Mapping spec) {
        ONLY_WORDS.forEach(spec::choice);
        ONLY_FLAGS.forEach((field, only) -> onlyFlag(spec, field, only));
        spec.flag("enableServiceLinks", true);
        spec.get("priority").ifPresent(value -> value.integer(0, 0));
        spec.mapping("os")
                .ifPresent(os -> {
                    os.choice("name", Set.of("linux"));
                    os.finish(KubernetesFields.OS);
                });
    }

    private static void onlyFlag(Mapping spec, String field, boolean only) {
        var value = spec.get(field);
        if (value.isPresent() && value.get().flag().orElse(only) != only) {
            value.get()
                    .problem(
                            "not honoured by podvm run: only %s is possible here; remove it"
                                    .formatted(only));
        }
    }
}
