package podvm.node.manifest;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import podvm.engine.ContainerSpec;
import podvm.engine.ContainerSpec.MountSpec;
import podvm.engine.NetworkRequest.PortMapping;
import podvm.engine.PullPolicy;

/** A pod's containers. */
final class ContainerReader {
    private static final Map<String, PullPolicy> PULL_POLICIES =
            Map.of(
                    "Always", PullPolicy.ALWAYS,
                    "IfNotPresent", PullPolicy.IF_NOT_PRESENT,
                    "Never", PullPolicy.NEVER);

    private final ConfigObjects configs;
    private final String namespace;
    private final Set<String> volumes;
    private final SecurityReader.PodSecurity security;
    private final Map<String, Integer> lines = new HashMap<>();
    private final List<PortMapping> ports = new ArrayList<>();

    /**
     * @param volumes names that a mount may use
     */
    ContainerReader(
            ConfigObjects configs,
            String namespace,
            Set<String> volumes,
            SecurityReader.PodSecurity security) {
        this.configs = configs;
        this.namespace = namespace;
        this.volumes = volumes;
        this.security = security;
    }

    List<ContainerSpec> read(Mapping spec, String list) {
        return spec.mappings(list).stream().flatMap(c -> container(c).stream()).toList();
    }

    private Optional<ContainerSpec> container(Mapping fields) {
        var name = name(fields);
        var image = fields.requireText("image");
        var policy = pullPolicy(fields, image.orElse(""));
        var command = fields.get("command").map(Value::texts).filter(list -> !list.isEmpty());
        var args = fields.get("args").map(Value::texts).filter(list -> !list.isEmpty());
        var env = new EnvReader(configs, namespace, name.orElse("")).read(fields);
        var workingDir = fields.text("workingDir").filter(text -> !text.isEmpty());
        var mounts = mounts(fields);
        var resources = ResourcesReader.read(fields);
        var merged = SecurityReader.container(fields, security);
        fields.mappings("ports").forEach(this::readPort);
        refuseSidecar(fields);
        onlyDefaults(fields);
        var stdin = fields.flag("stdin", false);
        var stdinOnce = fields.flag("stdinOnce", false);
        var tty = fields.flag("tty", false);
        fields.finish(KubernetesFields.CONTAINER);
        if (name.isEmpty() || image.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(
                new ContainerSpec(
                        name.get(),
                        image.get(),
                        policy,
                        command,
                        args,
                        env,
                        workingDir,
                        mounts,
                        resources,
                        merged,
                        stdin,
                        stdinOnce,
                        tty));
    }

    private Optional<String> name(Mapping fields) {
        var name = fields.requireText("name");
        if (name.isEmpty()) {
            return name;
        }
        if (!Names.isLabel(name.get())) {
            fields.get("name")
                    .ifPresent(
                            v -> v.problem("must be " + Names.LABEL_FORM + ", not " + name.get()));
        }
        var value = fields.get("name");
        var line = value.map(Value::line).orElse(0);
        var first = lines.putIfAbsent(name.get(), line);
        if (first != null) {
            value.ifPresent(v ->
                    v.problem(
                            "there are two containers named %s, in lines %d and %d"
                                    .formatted(name.get(), first, line)));
        }
        return name;
    }

    /** Unless given: always for what may have changed meanwhile. */
    private static PullPolicy pullPolicy(Mapping fields, String image) {
        var given = fields.choice("imagePullPolicy", PULL_POLICIES.keySet());
        if (given.isPresent()) {
            return PULL_POLICIES.getOrDefault(given.get(), PullPolicy.IF_NOT_PRESENT);
        }
        var name = image.substring(image.lastIndexOf('/') + 1);
        var fixed = image.contains("@") || (name.contains(":") && !name.endsWith(":latest"));
        return fixed ? PullPolicy.IF_NOT_PRESENT : PullPolicy.ALWAYS;
    }

    private List<MountSpec> mounts(Mapping container) {
        var mounts = new ArrayList<MountSpec>();
        var paths = new HashMap<String, Integer>();
        for (var fields : container.mappings("volumeMounts")) {
            var volume = fields.requireText("name");
            var path = fields.requireText("mountPath");
            var readOnly = fields.flag("readOnly", false);
            var subPath = fields.text("subPath").orElse("");
            fields.choice("mountPropagation", Set.of("None"));
            fields.choice("recursiveReadOnly", Set.of("Disabled"));
            fields.finish(KubernetesFields.MOUNT);
            if (!subPath.isEmpty() && !MountPath.isInside(subPath)) {
                fields.problem("subPath must be relative and without .., not " + subPath);
            }
            if (volume.isPresent() && !volumes.contains(volume.get())) {
                fields.problem(
                        "the pod has no volume "
                                + volume.get()
                                + Suggestion.among(volumes, volume.get()));
            }
            if (path.isEmpty() || volume.isEmpty()) {
                continue;
            }
            var normal = MountPath.normal(path.get());
            if (!MountPath.isAbsolute(path.get()) || normal.equals("/")) {
                fields.problem("mountPath must be absolute, without .., and not /");
            }
            var first = paths.putIfAbsent(normal, fields.line());
            if (first != null) {
                fields.problem(
                        "there are two mounts at %s, in lines %d and %d"
                                .formatted(normal, first, fields.line()));
            }
            mounts.add(new MountSpec(volume.get(), normal, readOnly, subPath));
        }
        return mounts;
    }

    /** Of all containers read so far. */
    List<PortMapping> ports() {
        return List.copyOf(ports);
    }

    /**
     * Without a host port it is information: every port of the pod can be reached at its address.
     */
    private void readPort(Mapping port) {
        port.text("name");
        var containerPort = number(port.require("containerPort"));
        var hostPort = number(port.get("hostPort"));
        var hostIp = port.text("hostIP").orElse("");
        if (!hostIp.isEmpty() && !IpAddress.isValid(hostIp)) {
            port.problem("hostIP must be an IPv4 or IPv6 address, not " + hostIp);
        }
        var protocol = port.choice("protocol", Set.of("TCP", "UDP", "SCTP")).orElse("TCP");
        port.finish(KubernetesFields.PORT);
        if (hostPort != 0) {
            ports.add(
                    new PortMapping(
                            PortMapping.Protocol.valueOf(protocol),
                            containerPort,
                            hostPort,
                            hostIp));
        }
    }

    /** 0 where it is missing or wrong; the latter is told. */
    private static int number(Optional<Value> port) {
        return port.flatMap(value -> value.integer(1, 65_535)).orElse(0L).intValue();
    }

    private static void refuseSidecar(Mapping fields) {
        fields.get("restartPolicy")
                .ifPresent(value ->
                        value.problem(
                                "not honoured by podvm run: a container follows its pod's"
                                        + " restartPolicy and an init container runs to its"
                                        + " end; remove it, or list a sidecar among the"
                                        + " containers"));
    }

    private static void onlyDefaults(Mapping fields) {
        fields.choice("terminationMessagePath", Set.of("/dev/termination-log"));
        fields.choice("terminationMessagePolicy", Set.of("File"));
    }
}
