package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.ListTemplatesRequest;
import podvm.proto.node.v1.ListTemplatesResponse;
import podvm.proto.node.v1.Template;

/** Lists what machines start as copies of. */
final class TemplateLs implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "template ls",
                "",
                "list what machines start as copies of, and why one is missing",
                0,
                0,
                Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var json = given.json();
        var response =
                session.node()
                        .ask(
                                "ListTemplates",
                                ListTemplatesRequest.getDefaultInstance(),
                                ListTemplatesResponse.parser());
        if (json) {
            session.stdio().print(Json.of(response.getTemplatesList()));
            return 0;
        }
        print(session.stdio(), response.getTemplatesList());
        return 0;
    }

    static void print(Stdio stdio, Iterable<Template> templates) throws IOException {
        var table =
                new Table(
                        "VCPUS",
                        "MEMORY",
                        "NETWORK",
                        "NAMESPACE",
                        "TAKES",
                        "COPIES",
                        "AGE",
                        "FAILURE");
        for (var one : templates) {
            table.add(
                    Integer.toString(one.getVcpus()),
                    one.getMemoryMib() + " MiB",
                    one.getNetworksCount() == 0 ? "-" : String.join(",", one.getNetworksList()),
                    one.getNamespace().isEmpty() ? "-" : one.getNamespace(),
                    Amounts.bytes(one.getBytes()),
                    Long.toString(one.getCopies()),
                    Amounts.age(one.getMadeUnixNs()),
                    one.getFailure().isEmpty() ? "-" : one.getFailure());
        }
        table.print(stdio);
    }
}
