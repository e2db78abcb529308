package podvm.engine.pod;

import java.time.Duration;
import java.util.Optional;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.ContainerState.Terminated;

/** The end of one attempt to run a container, which may be run again since. */
record AttemptEnd(StatusBoard<PodStatus> board, String container, ContainerId attempt)
        implements ContainerAttachment.Ending {
    private static final Duration FOREVER = Duration.ofDays(365);

    @Override
    public int await() throws PodException, InterruptedException {
        for (var seen = board.status(); ; seen = board.awaitChange(seen, Deadline.after(FOREVER))) {
            var code = exitCode(seen);
            if (code.isPresent()) {
                return code.get();
            }
        }
    }

    private Optional<Integer> exitCode(PodStatus status) {
        for (var one : status.containers()) {
            if (one.name().equals(container)) {
                if (!one.id().equals(Optional.of(attempt))) {
                    return one.last().map(Terminated::exitCode).or(() -> Optional.of(0));
                }
                if (one.state() instanceof Terminated ended) {
                    return Optional.of(ended.exitCode());
                }
            }
        }
        return status.phase().ended() ? Optional.of(status.exitCode()) : Optional.empty();
    }
}
