package podvm.engine.pod;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Agent.InputWriter;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState.Terminated;
import podvm.engine.Pods.Attachment;

/** A client that watches, and perhaps types into, one attempt of a container. */
final class ContainerAttachment implements Attachment {
    private static final Duration FOREVER = Duration.ofDays(365);

    private final PodLife life;
    private final ContainerSlot slot;
    private final ContainerId attempt;
    private final ExecOutput output;
    private @Nullable InputWriter input;

    ContainerAttachment(PodLife life, ContainerSlot slot, ContainerId attempt, ExecOutput output) {
        this.life = life;
        this.slot = slot;
        this.attempt = attempt;
        this.output = output;
        slot.output.join(output);
    }

    @Override
    public String container() {
        return slot.name();
    }

    @Override
    public boolean terminal() {
        return slot.terminal();
    }

    @Override
    public boolean hasStdin() {
        return slot.hasStdin();
    }

    @Override
    public void stdin(byte[] data) throws PodException, InterruptedException {
        if (!hasStdin()) {
            throw new PodException(
                    Kind.CONFLICT,
                    "container " + container() + " has no stdin",
                    "set stdin: true in its manifest");
        }
        if (input == null) {
            input = life.agent().openInput(attempt);
        }
        input.write(data, 0, data.length);
    }

    @Override
    public void closeStdin() throws PodException {
        if (input == null && hasStdin()) {
            input = life.agent().openInput(attempt);
        }
        closeInput();
    }

    private void closeInput() throws PodException {
        if (input != null) {
            input.close();
            input = null;
        }
    }

    @Override
    public void resize(int columns, int rows) throws PodException, InterruptedException {
        life.agent().resize(attempt, columns, rows);
    }

    @Override
    public int await() throws PodException, InterruptedException {
        for (var seen = life.status();
                ;
                seen = life.board().awaitChange(seen, Deadline.after(FOREVER))) {
            var code = exitCode(seen);
            if (code.isPresent()) {
                return code.get();
            }
        }
    }

    private Optional<Integer> exitCode(PodStatus status) {
        for (var container : status.containers()) {
            if (container.name().equals(container())) {
                if (!container.id().equals(Optional.of(attempt))) {
                    return container.last().map(Terminated::exitCode).or(() -> Optional.of(0));
                }
                if (container.state() instanceof Terminated ended) {
                    return Optional.of(ended.exitCode());
                }
            }
        }
        return status.phase().ended() ? Optional.of(status.exitCode()) : Optional.empty();
    }

    @Override
    public void close() {
        slot.output.leave(output);
        try {
            closeInput();
        } catch (PodException e) {
            // the container has ended, or its machine has: nobody is left to read
        }
    }
}
