package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.PruneTemplatesRequest;
import podvm.proto.node.v1.PruneTemplatesResponse;

/** Removes all templates; the next pods boot, and have new ones made. */
final class TemplatePrune implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "template prune",
                "",
                "remove what machines start as copies of; running pods keep theirs",
                0,
                0,
                Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var json = given.json();
        var request = PruneTemplatesRequest.getDefaultInstance();
        var removal =
                session.node().ask("PruneTemplates", request, PruneTemplatesResponse.parser());
        session.stdio().print(json ? Json.of(removal) : "removed: " + removal.getRemoved());
        return 0;
    }
}
