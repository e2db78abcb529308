package podvm.engine.fake;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.PidNamespace;
import podvm.engine.ContainerConfig.Resources;
import podvm.engine.ContainerConfig.Security;
import podvm.engine.NetworkRequest;
import podvm.engine.SandboxSpec;

/** Says of a sandbox's container only what a test is about. */
public final class SandboxBuilder {
    private final String name;
    private int attempt;
    private List<String> command = List.of();
    private List<ContainerConfig.Mount> mounts = List.of();
    private List<ContainerConfig.Device> devices = List.of();
    private Optional<Path> logFile = Optional.empty();
    private boolean stdin;
    private Resources resources = Resources.NONE;
    private Security security = Security.USUAL;
    private PidNamespace pids = new PidNamespace.Container();
    private String stopSignal = "";

    private SandboxBuilder(String name) {
        this.name = name;
    }

    public static SandboxSpec sandbox(String name) {
        return sandbox(name, 0);
    }

    public static SandboxSpec sandbox(String name, int attempt) {
        return new SandboxSpec(
                new SandboxSpec.Metadata(name, "uid-" + name, "default", attempt),
                "podvm",
                "",
                Optional.empty(),
                NetworkRequest.Dns.OF_NETWORK,
                List.of(),
                Map.of("app", name),
                Map.of(),
                Map.of(),
                SandboxSpec.Limits.NONE,
                Optional.empty(),
                Optional.empty());
    }

    /** A container called like its program. */
    public static SandboxBuilder container(String... command) {
        return new SandboxBuilder(command[0]).command(command);
    }

    public SandboxBuilder command(String... words) {
        command = List.of(words);
        return this;
    }

    public SandboxBuilder attempt(int number) {
        attempt = number;
        return this;
    }

    public SandboxBuilder mount(ContainerConfig.Mount... all) {
        mounts = List.of(all);
        return this;
    }

    public SandboxBuilder device(ContainerConfig.Device... all) {
        devices = List.of(all);
        return this;
    }

    public SandboxBuilder log(Path file) {
        logFile = Optional.of(file);
        return this;
    }

    public SandboxBuilder stdin() {
        stdin = true;
        return this;
    }

    public SandboxBuilder resources(Resources all) {
        resources = all;
        return this;
    }

    public SandboxBuilder security(Security all) {
        security = all;
        return this;
    }

    public SandboxBuilder pids(PidNamespace whose) {
        pids = whose;
        return this;
    }

    public SandboxBuilder stopSignal(String signal) {
        stopSignal = signal;
        return this;
    }

    public ContainerConfig build() {
        return new ContainerConfig(
                new ContainerConfig.Metadata(name, attempt),
                "image",
                "image",
                command,
                List.of(),
                "",
                List.of(),
                mounts,
                devices,
                Map.of(),
                Map.of(),
                logFile,
                stdin,
                false,
                false,
                resources,
                security,
                pids,
                stopSignal);
    }
}
