package podvm.cri;

import podvm.cri.streaming.Destination;
import podvm.cri.streaming.StreamServer;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Pods.ExecSpec;
import podvm.engine.SandboxContainer;
import podvm.engine.Sandboxes;
import podvm.proto.cri.v1.ExecRequest;
import podvm.proto.cri.v1.ExecResponse;

/** Promises a client the streams of a new process. */
final class Exec {
    private final Sandboxes sandboxes;
    private final Ids ids;
    private final StreamServer streams;

    Exec(Sandboxes sandboxes, Ids ids, StreamServer streams) {
        this.sandboxes = sandboxes;
        this.ids = ids;
        this.streams = streams;
    }

    ExecResponse answer(ExecRequest request) throws PodException {
        var wanted =
                streams(
                        request.getStdin(),
                        request.getStdout(),
                        request.getStderr(),
                        request.getTty());
        var container = sandboxes.container(ids.container(request.getContainerId()));
        checkRuns(container);
        var command = ExecSync.command(request.getCmdList());
        var spec =
                new ExecSpec(
                        command,
                        java.util.List.of(),
                        "",
                        "",
                        wanted.stdin(),
                        wanted.terminal(),
                        0,
                        0);
        var process =
                new Destination.Process(
                        wanted,
                        output -> new ExecProcess(sandboxes.exec(container.id(), spec, output)));
        return ExecResponse.newBuilder().setUrl(streams.promise("exec", process)).build();
    }

    static Destination.Streams streams(
            boolean stdin, boolean stdout, boolean stderr, boolean terminal) throws PodException {
        if (!stdin && !stdout && !stderr) {
            throw new PodException(
                    Kind.INVALID, "none of stdin, stdout and stderr is asked for", "set one");
        }
        if (terminal && stderr) {
            throw new PodException(
                    Kind.INVALID, "a terminal has no stderr of its own", "leave stderr unset");
        }
        return new Destination.Streams(stdin, stdout, stderr, terminal);
    }

    static void checkRuns(SandboxContainer container) throws PodException {
        if (container.state() != SandboxContainer.State.RUNNING) {
            throw new PodException(
                    Kind.CONFLICT,
                    "container %s (%s) does not run"
                            .formatted(
                                    container.config().metadata().name(), container.id().brief()),
                    "start it first");
        }
    }
}
