package podvm.cri;

import java.util.Optional;
import podvm.engine.PodException;
import podvm.engine.Sandboxes;
import podvm.proto.cri.v1.UpdateContainerResourcesRequest;
import podvm.proto.cri.v1.UpdateContainerResourcesResponse;
import podvm.proto.cri.v1.UpdatePodSandboxResourcesRequest;
import podvm.proto.cri.v1.UpdatePodSandboxResourcesResponse;

/** Changes limits of what runs. */
final class UpdateVerbs {
    private final Sandboxes sandboxes;
    private final Ids ids;
    private final Fields fields;

    UpdateVerbs(Sandboxes sandboxes, Ids ids, Fields fields) {
        this.sandboxes = sandboxes;
        this.ids = ids;
        this.fields = fields;
    }

    UpdateContainerResourcesResponse container(UpdateContainerResourcesRequest request)
            throws PodException, InterruptedException {
        fields.check(request);
        sandboxes
                .resources()
                .update(
                        ids.container(request.getContainerId()),
                        ContainerConfigs.resources(request.getLinux()));
        return UpdateContainerResourcesResponse.getDefaultInstance();
    }

    UpdatePodSandboxResourcesResponse sandbox(UpdatePodSandboxResourcesRequest request)
            throws PodException, InterruptedException {
        fields.check(request);
        sandboxes
                .resources()
                .update(
                        ids.sandbox(request.getPodSandboxId()),
                        ContainerConfigs.resources(request.getResources()),
                        Optional.of(request.getOverhead().getMemoryLimitInBytes())
                                .filter(bytes -> bytes > 0));
        return UpdatePodSandboxResourcesResponse.getDefaultInstance();
    }
}
