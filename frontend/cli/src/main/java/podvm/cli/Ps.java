package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.ListPodsRequest;
import podvm.proto.node.v1.ListPodsResponse;

/** Lists pods. */
final class Ps implements Command {
    private static final String METHOD = "ListPods";

    /** ListPodsRequest with all = true: see {@link PodRow} for why it is written out. */
    private static final byte[] ALL = {8, 1};

    @Override
    public Syntax syntax() {
        return Syntax.of(
                "ps",
                "",
                "list pods that have not ended",
                0,
                0,
                Option.flag("-a, --all", "ended pods too"),
                Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        if (given.json()) {
            var request = ListPodsRequest.newBuilder().setAll(given.has("--all")).build();
            var response = session.node().ask(METHOD, request, ListPodsResponse.parser());
            session.stdio().print(Json.of(response.getPodsList()));
            return 0;
        }
        var response = session.node().ask(METHOD, given.has("--all") ? ALL : new byte[0]);
        var table = new Table("ID", "NAME", "READY", "STATUS", "RESTARTS", "AGE", "IP", "MANAGER");
        for (var row : PodRow.list(response)) {
            table.add(
                    row.id.substring(0, Math.min(12, row.id.length())),
                    row.namespace.equals("default") ? row.name : row.namespace + "/" + row.name,
                    row.ready + "/" + row.containers,
                    row.status(),
                    Integer.toString(row.restarts),
                    Amounts.age(row.created),
                    row.ip.isEmpty() ? "-" : row.ip,
                    row.manager);
        }
        table.print(session.stdio());
        return 0;
    }
}
