package podvm.cri;

import podvm.engine.PodException;
import podvm.engine.Sandboxes;
import podvm.proto.cri.v1.ContainerStatusRequest;
import podvm.proto.cri.v1.ContainerStatusResponse;
import tools.jackson.databind.node.JsonNodeFactory;

/** One container. */
final class ContainerStatusVerb {
    private final Sandboxes sandboxes;
    private final Ids ids;

    ContainerStatusVerb(Sandboxes sandboxes, Ids ids) {
        this.sandboxes = sandboxes;
        this.ids = ids;
    }

    ContainerStatusResponse answer(ContainerStatusRequest request) throws PodException {
        var container = sandboxes.container(ids.container(request.getContainerId()));
        var response =
                ContainerStatusResponse.newBuilder().setStatus(ContainerMessages.status(container));
        if (request.getVerbose()) {
            var info = JsonNodeFactory.instance.objectNode();
            info.put("sandboxID", container.sandbox().text());
            info.put("tty", container.config().tty());
            info.put("stdin", container.config().stdin());
            response.putInfo("info", info.toString());
        }
        return response.build();
    }
}
