package podvm.engine.pod;

import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import podvm.engine.Agent;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.PodStatus.ContainerState.Running;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.PodStatus.ContainerState.Waiting;
import podvm.engine.SandboxContainer;
import podvm.engine.SandboxId;
import podvm.engine.SandboxRecord;
import podvm.engine.log.LogWriter;

/** One container of a pod sandbox: it has one attempt, and no second. */
final class SandboxSlot extends GuestContainer {
    /** The reason of an end that nobody saw. */
    static final String UNKNOWN = "Unknown";

    /** Its limits may change. */
    volatile ContainerConfig config;

    private final ContainerId attempt;
    private final SandboxId sandbox;
    private final Digest imageId;
    private final String imageStopSignal;
    private final Instant created;

    /** Known once it is made. */
    volatile Optional<Agent.ResolvedUser> user = Optional.empty();

    /** The guest has it, and whoever asked for it knows. */
    boolean real;

    /** Present while somebody stops it: until then it may end by itself. */
    @Nullable Deadline stopBy;

    /** While output is carried into a file. */
    volatile @Nullable LogWriter writer;

    SandboxSlot(
            ContainerId attempt,
            SandboxId sandbox,
            ContainerConfig config,
            Digest imageId,
            String imageStopSignal) {
        super(new Waiting("ContainerCreated", ""));
        this.attempt = attempt;
        this.sandbox = sandbox;
        this.config = config;
        this.imageId = imageId;
        this.imageStopSignal = imageStopSignal;
        this.created = Instant.now();
        this.id = attempt;
    }

    SandboxSlot(SandboxRecord.Held held, String imageStopSignal) {
        super(state(held.container()));
        var container = held.container();
        this.attempt = container.id();
        this.sandbox = container.sandbox();
        this.config = container.config();
        this.imageId = container.imageId();
        this.imageStopSignal = imageStopSignal;
        this.created = container.created();
        this.real = held.real();
        this.user = container.user();
        this.ran = container.started().isPresent();
        this.id = attempt;
    }

    private static podvm.engine.PodStatus.ContainerState state(SandboxContainer container) {
        var started = container.started().orElse(container.created());
        return switch (container.state()) {
            case CREATED -> new Waiting("ContainerCreated", "");
            case RUNNING -> new Running(started);
            case EXITED, UNKNOWN ->
                    new Terminated(
                            container.exitCode(),
                            0,
                            container.state() == SandboxContainer.State.UNKNOWN
                                    ? UNKNOWN
                                    : container.reason(),
                            container.message(),
                            started,
                            container.finished().orElse(started));
        };
    }

    ContainerId attempt() {
        return attempt;
    }

    @Override
    String name() {
        return config.metadata().name();
    }

    @Override
    boolean terminal() {
        return config.tty();
    }

    @Override
    boolean hasStdin() {
        return config.stdin();
    }

    @Override
    String stopSignal() {
        return config.stopSignal().isEmpty() ? imageStopSignal : config.stopSignal();
    }

    SandboxRecord.Held held() {
        return new SandboxRecord.Held(status(), real);
    }

    SandboxContainer status() {
        return switch (state) {
            case Waiting _ ->
                    status(
                            SandboxContainer.State.CREATED,
                            Optional.empty(),
                            Optional.empty(),
                            0,
                            "",
                            "");
            case Running(var started) ->
                    status(
                            SandboxContainer.State.RUNNING,
                            Optional.of(started),
                            Optional.empty(),
                            0,
                            "",
                            "");
            case Terminated ended when ended.reason().equals(UNKNOWN) ->
                    status(
                            SandboxContainer.State.UNKNOWN,
                            Optional.of(ended.started()),
                            Optional.of(ended.finished()),
                            ended.exitCode(),
                            "",
                            ended.message());
            case Terminated ended ->
                    status(
                            SandboxContainer.State.EXITED,
                            Optional.of(ended.started()).filter(_ -> ran),
                            Optional.of(ended.finished()),
                            ended.exitCode(),
                            ended.reason(),
                            ended.message());
        };
    }

    private SandboxContainer status(
            SandboxContainer.State now,
            Optional<Instant> started,
            Optional<Instant> finished,
            int exitCode,
            String reason,
            String message) {
        return new SandboxContainer(
                attempt, sandbox, config, imageId, now, created, started, finished, exitCode,
                reason, message, user);
    }
}
