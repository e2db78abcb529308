package podvm.engine.pod;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import podvm.engine.Agent.ContainerPlan;
import podvm.engine.Agent.GuardedPaths;
import podvm.engine.Agent.MountPlan;
import podvm.engine.Agent.ProcessPlan;
import podvm.engine.Agent.Processes;
import podvm.engine.Agent.ResourceLimits;
import podvm.engine.Agent.SecurityPlan;
import podvm.engine.Agent.SystemCalls;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.MountSource;
import podvm.engine.ContainerConfig.Security;
import podvm.engine.ContainerId;
import podvm.engine.Image;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.UserMapping;
import podvm.engine.seccomp.SeccompFilter;

/** Turns what is asked for of a sandbox's container into what the guest must do. */
final class ConfigPlans {
    private ConfigPlans() {}

    /** Has what lies outside the guest shown to it: paths of the host, images, devices. */
    interface Outside {
        MountPlan plan(ContainerConfig.Mount mount) throws PodException, InterruptedException;

        MountPlan plan(ContainerConfig.Device device) throws PodException;
    }

    /** Fails with UNSUPPORTED where {@link Refusals} has something to say. */
    static ContainerPlan of(
            ContainerId id,
            ContainerConfig config,
            Image image,
            Optional<UserMapping> users,
            Outside outside)
            throws PodException, InterruptedException {
        Refusals.check(config);
        var security = config.security();
        return new ContainerPlan(
                id,
                image.layers().stream().map(layer -> layer.disk().serial()).toList(),
                security.readOnlyRoot(),
                process(config, image),
                mounts(config, outside),
                limits(config.resources()),
                security(security),
                switch (config.pidNamespace()) {
                    case ContainerConfig.PidNamespace.Container _ -> new Processes.Own();
                    case ContainerConfig.PidNamespace.Pod _ -> new Processes.OfPod();
                    case ContainerConfig.PidNamespace.Target(var other) -> new Processes.Of(other);
                },
                config.stdin(),
                config.stdinOnce(),
                users);
    }

    private static ProcessPlan process(ContainerConfig config, Image image) throws PodException {
        var env = new LinkedHashMap<String, String>();
        config.env().forEach(one -> env.put(one.name(), one.value()));
        var security = config.security();
        return new ProcessPlan(
                args(config, image),
                Environment.merge(image, env),
                config.workingDir().isEmpty() ? image.config().workingDir() : config.workingDir(),
                user(security, image),
                security.user().gid(),
                security.supplementalGroups(),
                security.groupsPolicy() == ContainerConfig.GroupsPolicy.STRICT,
                config.tty(),
                80,
                24,
                config.resources().oomScoreAdj(),
                List.of());
    }

    /** Command replaces entrypoint and cmd, args replaces cmd. */
    private static List<String> args(ContainerConfig config, Image image) throws PodException {
        var result = new ArrayList<String>();
        result.addAll(config.command().isEmpty() ? image.config().entrypoint() : config.command());
        if (!config.args().isEmpty()) {
            result.addAll(config.args());
        } else if (config.command().isEmpty()) {
            result.addAll(image.config().cmd());
        }
        if (result.isEmpty()) {
            throw new PodException(
                    Kind.INVALID,
                    "container "
                            + config.metadata().name()
                            + " has no command: image "
                            + config.image()
                            + " names none either",
                    "set command or args");
        }
        return List.copyOf(result);
    }

    private static String user(Security security, Image image) {
        var user = security.user();
        return user.uid()
                .map(uid -> Integer.toString(uid))
                .orElse(user.name().isEmpty() ? image.config().user() : user.name());
    }

    private static List<MountPlan> mounts(ContainerConfig config, Outside outside)
            throws PodException, InterruptedException {
        var plans = new ArrayList<MountPlan>();
        for (var mount : config.mounts()) {
            plans.add(mount(mount, outside));
        }
        for (var device : config.devices()) {
            plans.add(outside.plan(device));
        }
        return List.copyOf(plans);
    }

    private static MountPlan mount(ContainerConfig.Mount mount, Outside outside)
            throws PodException, InterruptedException {
        return switch (mount.source()) {
            case MountSource.HostPath _, MountSource.ImageFiles _ -> outside.plan(mount);
            case MountSource.Files(var name, var _) ->
                    plan(mount, new podvm.engine.Agent.MountSource.Files(name), true);
            case MountSource.EmptyDir(var name) ->
                    plan(
                            mount,
                            new podvm.engine.Agent.MountSource.EmptyDir(name),
                            mount.readOnly());
            case MountSource.Memory(var name, var bytes) ->
                    plan(
                            mount,
                            new podvm.engine.Agent.MountSource.Memory(name, bytes),
                            mount.readOnly());
        };
    }

    private static MountPlan plan(
            ContainerConfig.Mount mount, podvm.engine.Agent.MountSource source, boolean readOnly) {
        return new MountPlan(mount.containerPath(), source, readOnly, mount.subPath());
    }

    private static ResourceLimits limits(ContainerConfig.Resources resources) {
        boolean limited = resources.cpuQuotaMicros() > 0;
        return new ResourceLimits(
                limited ? resources.cpuQuotaMicros() : 0,
                limited ? resources.cpuPeriodMicros() : 0,
                resources.cpuShares() == 0 ? 0 : CpuWeight.ofShares(resources.cpuShares()),
                resources.memoryBytes(),
                Refusals.bytes(resources.unified().getOrDefault("memory.min", "0")).orElse(0L),
                Refusals.bytes(resources.unified().getOrDefault("pids.max", "0")).orElse(0L),
                resources.hugepageLimits());
    }

    private static SecurityPlan security(Security security) throws PodException {
        var add = new HashSet<>(security.addCapabilities());
        add.addAll(security.addAmbientCapabilities());
        var capabilities = Capabilities.of(add, security.dropCapabilities());
        return new SecurityPlan(
                security.privileged(),
                capabilities,
                Capabilities.named(
                        security.addAmbientCapabilities().contains("ALL")
                                ? Capabilities.ALL
                                : security.addAmbientCapabilities()),
                security.noNewPrivileges(),
                calls(security.seccomp(), capabilities),
                guarded(security));
    }

    private static SystemCalls calls(ContainerConfig.Seccomp seccomp, List<String> capabilities)
            throws PodException {
        return switch (seccomp) {
            case ContainerConfig.Seccomp.RuntimeDefault _ -> new SystemCalls.Usual();
            case ContainerConfig.Seccomp.Unconfined _ -> new SystemCalls.All();
            case ContainerConfig.Seccomp.Localhost(var profile) ->
                    new SystemCalls.Filtered(SeccompFilter.compile(profile, capabilities));
        };
    }

    private static Optional<GuardedPaths> guarded(Security security) {
        boolean usual =
                new HashSet<>(security.maskedPaths()).equals(new HashSet<>(Security.USUALLY_MASKED))
                        && new HashSet<>(security.readOnlyPaths())
                                .equals(new HashSet<>(Security.USUALLY_READ_ONLY));
        return usual
                ? Optional.empty()
                : Optional.of(new GuardedPaths(security.maskedPaths(), security.readOnlyPaths()));
    }
}
