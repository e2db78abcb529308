package podvm.cri;

import java.time.Instant;
import podvm.engine.PodException;
import podvm.engine.Sandboxes;
import podvm.proto.cri.v1.PodSandboxStatusRequest;
import podvm.proto.cri.v1.PodSandboxStatusResponse;
import tools.jackson.databind.node.JsonNodeFactory;

/** One sandbox, with all its containers. */
final class PodSandboxStatusVerb {
    private final Sandboxes sandboxes;
    private final Ids ids;

    PodSandboxStatusVerb(Sandboxes sandboxes, Ids ids) {
        this.sandboxes = sandboxes;
        this.ids = ids;
    }

    PodSandboxStatusResponse answer(PodSandboxStatusRequest request) throws PodException {
        var id = ids.sandbox(request.getPodSandboxId());
        var status = sandboxes.status(id);
        var response =
                PodSandboxStatusResponse.newBuilder()
                        .setStatus(SandboxMessages.status(status))
                        .setTimestamp(Times.nanos(Instant.now()));
        sandboxes.containers(id).stream()
                .map(ContainerMessages::status)
                .forEach(response::addContainersStatuses);
        if (request.getVerbose()) {
            var info = JsonNodeFactory.instance.objectNode();
            info.put("pod", status.id().pod().text());
            info.put("reason", status.reason());
            info.put("message", status.message());
            status.spec()
                    .logDirectory()
                    .ifPresent(path -> info.put("logDirectory", path.toString()));
            response.putInfo("info", info.toString());
        }
        return response.build();
    }
}
