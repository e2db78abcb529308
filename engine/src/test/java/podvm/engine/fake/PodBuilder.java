package podvm.engine.fake;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import podvm.engine.ContainerSpec;
import podvm.engine.ContainerSpec.EnvSpec;
import podvm.engine.ContainerSpec.MountSpec;
import podvm.engine.ContainerSpec.Resources;
import podvm.engine.ContainerSpec.SecuritySpec;
import podvm.engine.NetworkChoice;
import podvm.engine.PodSpec;
import podvm.engine.PodSpec.RestartPolicy;
import podvm.engine.PullPolicy;
import podvm.engine.VolumeSpec;

/** Says of a pod only what a test is about. */
public final class PodBuilder {
    public static final SecuritySpec USUAL =
            new SecuritySpec(
                    Optional.empty(),
                    Optional.empty(),
                    false,
                    List.of(),
                    false,
                    true,
                    false,
                    false,
                    Set.of(),
                    Set.of());

    private final String name;
    private final List<ContainerSpec> init = new ArrayList<>();
    private final List<ContainerSpec> containers = new ArrayList<>();
    private final Map<String, VolumeSpec> volumes = new LinkedHashMap<>();
    private String namespace = "default";
    private RestartPolicy policy = RestartPolicy.NEVER;
    private Duration grace = Duration.ofSeconds(5);

    private PodBuilder(String name) {
        this.name = name;
    }

    public static PodBuilder pod(String name) {
        return new PodBuilder(name);
    }

    /** A container called like its program. */
    public static ContainerSpec container(String... command) {
        return container(command[0], "image", List.of(command));
    }

    public static ContainerSpec container(String name, String image, List<String> command) {
        return new ContainerSpec(
                name,
                image,
                PullPolicy.IF_NOT_PRESENT,
                command.isEmpty() ? Optional.empty() : Optional.of(command),
                Optional.empty(),
                List.of(),
                Optional.empty(),
                List.of(),
                limits(null, null),
                USUAL,
                false,
                false,
                false);
    }

    public static Resources limits(Long cpuMillis, Long memoryBytes) {
        return new Resources(
                Optional.ofNullable(cpuMillis),
                Optional.empty(),
                Optional.ofNullable(memoryBytes),
                Optional.empty(),
                Map.of());
    }

    public static ContainerSpec withArgs(ContainerSpec of, String... args) {
        return copy(
                of,
                Optional.of(List.of(args)),
                of.env(),
                of.mounts(),
                of.resources(),
                of.security(),
                of.stdin());
    }

    public static ContainerSpec withEnv(ContainerSpec of, EnvSpec... env) {
        return copy(
                of,
                of.args(),
                List.of(env),
                of.mounts(),
                of.resources(),
                of.security(),
                of.stdin());
    }

    public static ContainerSpec withMounts(ContainerSpec of, MountSpec... mounts) {
        return copy(
                of,
                of.args(),
                of.env(),
                List.of(mounts),
                of.resources(),
                of.security(),
                of.stdin());
    }

    public static ContainerSpec withResources(ContainerSpec of, Resources resources) {
        return copy(of, of.args(), of.env(), of.mounts(), resources, of.security(), of.stdin());
    }

    public static ContainerSpec withSecurity(ContainerSpec of, SecuritySpec security) {
        return copy(of, of.args(), of.env(), of.mounts(), of.resources(), security, of.stdin());
    }

    public static ContainerSpec withStdin(ContainerSpec of) {
        return copy(of, of.args(), of.env(), of.mounts(), of.resources(), of.security(), true);
    }

    private static ContainerSpec copy(
            ContainerSpec of,
            Optional<List<String>> args,
            List<EnvSpec> env,
            List<MountSpec> mounts,
            Resources resources,
            SecuritySpec security,
            boolean stdin) {
        return new ContainerSpec(
                of.name(),
                of.image(),
                of.pullPolicy(),
                of.command(),
                args,
                env,
                of.workingDir(),
                mounts,
                resources,
                security,
                stdin,
                stdin,
                of.tty());
    }

    public PodBuilder in(String itsNamespace) {
        namespace = itsNamespace;
        return this;
    }

    public PodBuilder restart(RestartPolicy itsPolicy) {
        policy = itsPolicy;
        return this;
    }

    public PodBuilder grace(Duration itsGrace) {
        grace = itsGrace;
        return this;
    }

    public PodBuilder init(String... command) {
        return init(container(command));
    }

    public PodBuilder init(ContainerSpec container) {
        init.add(container);
        return this;
    }

    public PodBuilder run(String... command) {
        return run(container(command));
    }

    public PodBuilder run(ContainerSpec container) {
        containers.add(container);
        return this;
    }

    public PodBuilder volume(String volume, VolumeSpec spec) {
        volumes.put(volume, spec);
        return this;
    }

    public PodSpec build() {
        return new PodSpec(
                namespace,
                name,
                Map.of("app", name),
                Map.of("note", "of " + name),
                name,
                "",
                List.of(),
                policy,
                grace,
                List.copyOf(init),
                List.copyOf(containers),
                Map.copyOf(volumes),
                new NetworkChoice.User(),
                List.of());
    }
}
