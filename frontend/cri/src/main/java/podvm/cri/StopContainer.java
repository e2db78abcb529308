package podvm.cri;

import java.time.Duration;
import podvm.engine.PodException;
import podvm.engine.Sandboxes;
import podvm.proto.cri.v1.StopContainerRequest;
import podvm.proto.cri.v1.StopContainerResponse;

/** Ends a container in its own time, or when that is up. */
final class StopContainer {
    private final Sandboxes sandboxes;
    private final Ids ids;

    StopContainer(Sandboxes sandboxes, Ids ids) {
        this.sandboxes = sandboxes;
        this.ids = ids;
    }

    StopContainerResponse answer(StopContainerRequest request)
            throws PodException, InterruptedException {
        var id = ids.findContainer(request.getContainerId());
        if (id.isPresent()) {
            var timeout = Duration.ofSeconds(Math.max(0, request.getTimeout()));
            sandboxes.stopContainer(id.get(), timeout);
        }
        return StopContainerResponse.getDefaultInstance();
    }
}
