package podvm.cri;

import podvm.cri.streaming.Destination;
import podvm.cri.streaming.StreamServer;
import podvm.engine.GuestPorts;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.SandboxStatus;
import podvm.engine.Sandboxes;
import podvm.proto.cri.v1.PortForwardRequest;
import podvm.proto.cri.v1.PortForwardResponse;

/** Promises a client connections to the ports of a sandbox; it names each port as it needs it. */
final class PortForward {
    private final Sandboxes sandboxes;
    private final Ids ids;
    private final StreamServer streams;

    PortForward(Sandboxes sandboxes, Ids ids, StreamServer streams) {
        this.sandboxes = sandboxes;
        this.ids = ids;
        this.streams = streams;
    }

    PortForwardResponse answer(PortForwardRequest request) throws PodException {
        for (int port : request.getPortList()) {
            GuestPorts.check(port);
        }
        var sandbox = ids.sandbox(request.getPodSandboxId());
        var status = sandboxes.status(sandbox);
        if (status.state() != SandboxStatus.State.READY) {
            throw new PodException(
                    Kind.CONFLICT,
                    "pod sandbox %s is not ready".formatted(status.spec().metadata()),
                    "its ports end with it");
        }
        var ports = new Destination.Ports(port -> sandboxes.connect(sandbox, port));
        return PortForwardResponse.newBuilder()
                .setUrl(streams.promise("portforward", ports))
                .build();
    }
}
