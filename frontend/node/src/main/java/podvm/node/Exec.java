package podvm.node;

import static podvm.engine.PodException.Kind.INVALID;

import java.io.IOException;
import java.util.Optional;
import podvm.engine.Agent.ExecSession;
import podvm.engine.PodException;
import podvm.engine.Pods;
import podvm.proto.node.v1.ExecExit;
import podvm.proto.node.v1.ExecRequest;
import podvm.proto.node.v1.ExecResponse;
import podvm.proto.node.v1.ExecStart;

/** A process in a container, joined to a client's streams. */
final class Exec implements Work.Body<ExecResponse> {
    private final Pods pods;
    private final Inlet<ExecRequest> in;

    Exec(Pods pods, Inlet<ExecRequest> in) {
        this.pods = pods;
        this.in = in;
    }

    @Override
    public void run(Outlet<ExecResponse> out)
            throws PodException, InterruptedException, IOException {
        var first = in.take().filter(ExecRequest::hasStart);
        if (first.isEmpty()) {
            throw new PodException(INVALID, "exec did not begin with its start message", "");
        }
        var start = first.get().getStart();
        var output =
                new Streams<>(
                        out,
                        bytes -> ExecResponse.newBuilder().setStdout(bytes).build(),
                        bytes -> ExecResponse.newBuilder().setStderr(bytes).build());
        var pod = pods.resolve(start.getPod());
        var container = Optional.of(start.getContainer()).filter(name -> !name.isEmpty());
        try (var session = pods.exec(pod, container, spec(start), output)) {
            var pump =
                    Thread.ofVirtual()
                            .name("exec-input")
                            .start(() -> pump(session, start.getStdin()));
            try {
                var result = session.await();
                var exit =
                        ExecExit.newBuilder()
                                .setExitCode(result.exitCode())
                                .setFailure(result.failure().orElse(""));
                out.send(ExecResponse.newBuilder().setExit(exit).build());
            } finally {
                pump.interrupt();
                pump.join();
            }
        }
    }

    private static Pods.ExecSpec spec(ExecStart start) {
        return new Pods.ExecSpec(
                start.getArgsList(),
                start.getEnvList(),
                start.getWorkingDir(),
                start.getUser(),
                start.getStdin(),
                start.getTerminal(),
                start.getSize().getColumns(),
                start.getSize().getRows());
    }

    private void pump(ExecSession session, boolean stdin) {
        try {
            for (var message = in.take(); message.isPresent(); message = in.take()) {
                pass(message.get(), session);
            }
            if (stdin) {
                session.closeStdin();
            }
        } catch (PodException _) {
            // the process has ended, which await() tells
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private static void pass(ExecRequest message, ExecSession session)
            throws PodException, InterruptedException {
        switch (message.getMessageCase()) {
            case STDIN -> session.stdin(message.getStdin().toByteArray());
            case CLOSE_STDIN -> session.closeStdin();
            case RESIZE ->
                    session.resize(message.getResize().getColumns(), message.getResize().getRows());
            case SIGNAL -> session.signal(message.getSignal());
            case START, MESSAGE_NOT_SET -> {}
        }
    }
}
