package podvm.cri;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import podvm.engine.Agent;
import podvm.engine.Causes;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Pods.ExecSpec;
import podvm.engine.Sandboxes;
import podvm.proto.cri.v1.ExecSyncRequest;
import podvm.proto.cri.v1.ExecSyncResponse;

/** Runs a command and answers with its output: what probes ask for. */
final class ExecSync {
    /** Both streams together; the kubelet takes messages of 16 MiB, with room for the rest. */
    static final int MOST_OUTPUT = (16 << 20) - 4096;

    private static final Duration FOR_EVER = Duration.ofDays(365);

    private final Sandboxes sandboxes;
    private final Ids ids;

    ExecSync(Sandboxes sandboxes, Ids ids) {
        this.sandboxes = sandboxes;
        this.ids = ids;
    }

    ExecSyncResponse answer(ExecSyncRequest request) throws PodException, InterruptedException {
        var container = ids.container(request.getContainerId());
        var command = command(request.getCmdList());
        var output = new Output();
        var spec = new ExecSpec(command, List.of(), "", "", false, false, 0, 0);
        var timeout =
                request.getTimeout() > 0 ? Duration.ofSeconds(request.getTimeout()) : FOR_EVER;
        try (var session = sandboxes.exec(container, spec, output)) {
            var result = await(session, timeout, command.getFirst());
            if (result.failure().isPresent()) {
                throw new PodException(
                        Kind.INVALID,
                        "cannot execute %s in container %s: %s"
                                .formatted(
                                        command.getFirst(),
                                        container.brief(),
                                        result.failure().get()),
                        "");
            }
            return output.answer(result.exitCode());
        }
    }

    static List<String> command(List<String> command) throws PodException {
        if (command.isEmpty()) {
            throw new PodException(Kind.INVALID, "cmd is empty", "say what to execute");
        }
        return command;
    }

    /** Closing the session kills what has not ended in time. */
    private static Agent.ExecResult await(
            Agent.ExecSession session, Duration timeout, String command)
            throws PodException, InterruptedException {
        var ended = new FutureTask<>(session::await);
        var thread = Thread.ofVirtual().name("exec-sync").start(ended);
        try {
            return ended.get(timeout.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new PodException(
                    Kind.DEADLINE,
                    "command %s timed out after %d s".formatted(command, timeout.toSeconds()),
                    "",
                    e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof InterruptedException) {
                throw new InterruptedException(command);
            }
            throw Causes.of(e);
        } finally {
            thread.interrupt();
        }
    }

    /** What does not fit into one message is cut off, as other runtimes do. */
    private static final class Output implements Agent.ExecOutput {
        private final ByteArrayOutputStream stdout = new ByteArrayOutputStream();
        private final ByteArrayOutputStream stderr = new ByteArrayOutputStream();

        @Override
        public synchronized void stdout(byte[] data) {
            keep(stdout, data);
        }

        @Override
        public synchronized void stderr(byte[] data) {
            keep(stderr, data);
        }

        private void keep(ByteArrayOutputStream stream, byte[] data) {
            int room = MOST_OUTPUT - stdout.size() - stderr.size();
            stream.write(data, 0, Math.min(room, data.length));
        }

        synchronized ExecSyncResponse answer(int exitCode) {
            return ExecSyncResponse.newBuilder()
                    .setStdout(ByteString.copyFrom(stdout.toByteArray()))
                    .setStderr(ByteString.copyFrom(stderr.toByteArray()))
                    .setExitCode(exitCode)
                    .build();
        }
    }
}
