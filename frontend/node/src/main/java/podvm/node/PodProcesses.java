package podvm.node;

import podvm.engine.PodException;
import podvm.engine.Pods;
import podvm.proto.node.v1.PodProcessesRequest;
import podvm.proto.node.v1.PodProcessesResponse;
import podvm.proto.node.v1.Process;

/** The processes of a pod, as the wire has them. */
final class PodProcesses {
    private PodProcesses() {}

    static PodProcessesResponse answer(Pods pods, PodProcessesRequest request)
            throws PodException, InterruptedException {
        var status = pods.status(pods.resolve(request.getPod()));
        var names = PodUses.names(status);
        var wanted = request.getContainer();
        if (!wanted.isEmpty() && !names.containsValue(wanted)) {
            throw new PodException(
                    PodException.Kind.NOT_FOUND,
                    "pod " + status.spec().name() + " has no container " + wanted,
                    "it has " + String.join(", ", names.values()));
        }
        var response = PodProcessesResponse.newBuilder();
        for (var process : pods.usage().processes(status.id())) {
            var name = names.getOrDefault(process.container(), process.container().brief());
            if (wanted.isEmpty() || wanted.equals(name)) {
                response.addProcesses(
                        Process.newBuilder()
                                .setContainer(name)
                                .setPid(process.pid())
                                .setParentPid(process.parent())
                                .setUid(process.uid())
                                .setState(process.state())
                                .setCpuMs(process.cpuMillis())
                                .setResidentBytes(process.residentBytes())
                                .setCommand(process.command()));
            }
        }
        return response.build();
    }
}
