package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.ImageRemoval;
import podvm.proto.node.v1.PruneImagesRequest;

/** Removes images that nobody needs. */
final class ImagePrune implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "image prune",
                "",
                "remove images that no pod uses and that nobody gave a name",
                0,
                0,
                Option.flag("-a, --all", "those with a name too"),
                Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var json = given.json();
        var request = PruneImagesRequest.newBuilder().setAll(given.has("--all")).build();
        var removal = session.node().ask("PruneImages", request, ImageRemoval.parser());
        if (json) {
            session.stdio().print(Json.of(removal));
            return 0;
        }
        ImageRm.print(removal, session.stdio());
        session.stdio().print("given back: " + Amounts.bytes(removal.getBytes()));
        return 0;
    }
}
