package podvm.node;

import java.util.Optional;
import podvm.engine.MachineTemplates;
import podvm.engine.MachineTemplates.Network;
import podvm.engine.MachineTemplates.Wish;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Templates;
import podvm.proto.node.v1.BuildTemplateRequest;
import podvm.proto.node.v1.ListTemplatesResponse;
import podvm.proto.node.v1.PruneTemplatesResponse;
import podvm.proto.node.v1.Template;

/** The calls about templates of machines. */
record TemplateCalls(MachineTemplates templates) {
    ListTemplatesResponse list() throws PodException {
        var response = ListTemplatesResponse.newBuilder();
        templates.list().forEach(status -> response.addTemplates(message(status)));
        return response.build();
    }

    Template build(BuildTemplateRequest request) throws PodException, InterruptedException {
        var wish =
                new Wish(
                        given(request.getCpuMillis()),
                        given(request.getMemoryBytes()),
                        network(request.getNetwork()),
                        request.getNamespace());
        return message(templates.build(wish));
    }

    private static Optional<Long> given(long number) {
        return number == 0 ? Optional.empty() : Optional.of(number);
    }

    private static Network network(String word) throws PodException {
        return switch (word) {
            case "user" -> Network.USER;
            case "cni" -> Network.CNI;
            default ->
                    throw new PodException(
                            Kind.INVALID, "there is no network \"" + word + "\"", "user or cni");
        };
    }

    PruneTemplatesResponse prune() throws PodException {
        return PruneTemplatesResponse.newBuilder().setRemoved(templates.prune()).build();
    }

    private static Template message(Templates.Status status) {
        return Template.newBuilder()
                .setVcpus(status.size().vcpus())
                .setMemoryMib(status.size().memoryMib())
                .addAllNetworks(status.networks())
                .setNamespace(status.namespace())
                .setMadeUnixNs(PodMessages.nanos(status.made()))
                .setCopies(status.clones())
                .setBytes(status.bytes())
                .setFailure(status.failure().orElse(""))
                .build();
    }
}
