package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.ListImagesRequest;
import podvm.proto.node.v1.ListImagesResponse;

/** Lists images. */
final class Images implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of("images", "", "list the node's images", 0, 0, Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var json = given.json();
        var response =
                session.node()
                        .ask(
                                "ListImages",
                                ListImagesRequest.getDefaultInstance(),
                                ListImagesResponse.parser());
        if (json) {
            session.stdio().print(Json.of(response.getImagesList()));
            return 0;
        }
        var table = new Table("ID", "NAME", "SIZE", "LAYERS", "PLATFORM", "CREATED");
        for (var image : response.getImagesList()) {
            var id = image.getId().substring(image.getId().indexOf(':') + 1);
            table.add(
                    id.substring(0, Math.min(12, id.length())),
                    image.getNamesCount() == 0 ? "-" : image.getNames(0),
                    Amounts.bytes(image.getDiskBytes()),
                    Integer.toString(image.getLayers()),
                    image.getPlatform(),
                    Amounts.age(image.getCreatedUnixNs()));
        }
        table.print(session.stdio());
        return 0;
    }
}
