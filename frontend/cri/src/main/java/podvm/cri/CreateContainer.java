package podvm.cri;

import podvm.engine.PodException;
import podvm.engine.Sandboxes;
import podvm.proto.cri.v1.CreateContainerRequest;
import podvm.proto.cri.v1.CreateContainerResponse;

/** Makes a container in a sandbox; its program does not run yet. */
final class CreateContainer {
    private final Sandboxes sandboxes;
    private final Ids ids;
    private final Fields fields;

    CreateContainer(Sandboxes sandboxes, Ids ids, Fields fields) {
        this.sandboxes = sandboxes;
        this.ids = ids;
        this.fields = fields;
    }

    CreateContainerResponse answer(CreateContainerRequest request)
            throws PodException, InterruptedException {
        fields.check(request);
        var sandbox = ids.sandbox(request.getPodSandboxId());
        var told = SandboxSpecs.path(request.getSandboxConfig().getLogDirectory());
        var spec = sandboxes.status(sandbox).spec();
        var logs = told.isPresent() ? told : spec.logDirectory();
        UserNamespaces.checkSame(
                UserNamespaces.read(
                        "config.linux.security_context.namespace_options.",
                        request.getConfig().getLinux().getSecurityContext().getNamespaceOptions()),
                spec.users());
        var config = ContainerConfigs.read(request.getConfig(), logs, ids::container);
        var id = sandboxes.createContainer(sandbox, config);
        return CreateContainerResponse.newBuilder().setContainerId(id.text()).build();
    }
}
