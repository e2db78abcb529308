package podvm.cri;

import java.util.Set;
import podvm.proto.cri.v1.RuntimeCondition;
import podvm.proto.cri.v1.StatusRequest;
import podvm.proto.cri.v1.StatusResponse;

/** Whether pods can run here, and what kinds of them. */
final class Status {
    private final NodeInfo node;
    private final Set<String> handlers;

    Status(NodeInfo node, Set<String> handlers) {
        this.node = node;
        this.handlers = handlers;
    }

    StatusResponse answer(StatusRequest request) throws InterruptedException {
        var response = StatusResponse.newBuilder();
        var network = node.network().readiness();
        var networkReady =
                RuntimeCondition.newBuilder()
                        .setType("NetworkReady")
                        .setStatus(network.ready())
                        .setReason(network.reason())
                        .setMessage(network.message());
        response.getStatusBuilder()
                .addConditions(
                        RuntimeCondition.newBuilder().setType("RuntimeReady").setStatus(true))
                .addConditions(networkReady);
        for (var handler : handlers) {
            response.addRuntimeHandlersBuilder()
                    .setName(handler)
                    .getFeaturesBuilder()
                    .setRecursiveReadOnlyMounts(true)
                    .setUserNamespaces(true);
        }
        response.getFeaturesBuilder().setSupplementalGroupsPolicy(true);
        if (request.getVerbose()) {
            response.putInfo("config", node.details().get());
        }
        return response.build();
    }
}
