package podvm.cri;

import podvm.cri.streaming.Destination;
import podvm.cri.streaming.StreamServer;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Sandboxes;
import podvm.proto.cri.v1.AttachRequest;
import podvm.proto.cri.v1.AttachResponse;

/** Promises a client the streams of a running container. */
final class Attach {
    private final Sandboxes sandboxes;
    private final Ids ids;
    private final StreamServer streams;

    Attach(Sandboxes sandboxes, Ids ids, StreamServer streams) {
        this.sandboxes = sandboxes;
        this.ids = ids;
        this.streams = streams;
    }

    AttachResponse answer(AttachRequest request) throws PodException {
        var wanted =
                Exec.streams(
                        request.getStdin(),
                        request.getStdout(),
                        request.getStderr(),
                        request.getTty());
        var container = sandboxes.container(ids.container(request.getContainerId()));
        Exec.checkRuns(container);
        if (container.config().tty() != wanted.terminal()) {
            throw new PodException(
                    Kind.INVALID,
                    "container %s has %s terminal"
                            .formatted(
                                    container.config().metadata().name(),
                                    container.config().tty() ? "a" : "no"),
                    "set tty as the container has it");
        }
        var process =
                new Destination.Process(
                        wanted,
                        output -> new AttachedProcess(sandboxes.attach(container.id(), output)));
        return AttachResponse.newBuilder().setUrl(streams.promise("attach", process)).build();
    }
}
