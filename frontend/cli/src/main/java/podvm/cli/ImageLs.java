package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.Image;
import podvm.proto.node.v1.ListImagesRequest;
import podvm.proto.node.v1.ListImagesResponse;

/** Lists images, one line per name; also known as podvm images. */
final class ImageLs implements Command {
    private final String name;

    ImageLs(String name) {
        this.name = name;
    }

    @Override
    public Syntax syntax() {
        return Syntax.of(name, "", "list the node's images", 0, 0, Option.OUTPUT);
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
        var table = new Table("ID", "NAME", "SIZE", "SHARED", "LAYERS", "PLATFORM", "CREATED");
        for (var image : response.getImagesList()) {
            var tags = image.getNamesList().stream().filter(n -> !n.contains("@")).toList();
            var shown = tags.isEmpty() ? image.getNamesList() : tags;
            for (var one : shown) {
                table.add(row(image, one));
            }
            if (shown.isEmpty()) {
                table.add(row(image, "-"));
            }
        }
        table.print(session.stdio());
        return 0;
    }

    private static String[] row(Image image, String shown) {
        return new String[] {
            brief(image.getId()),
            shown,
            Amounts.bytes(image.getDiskBytes()),
            Amounts.bytes(image.getSharedBytes()),
            Integer.toString(image.getLayers()),
            image.getPlatform(),
            image.getCreatedUnixNs() == 0 ? "-" : Amounts.age(image.getCreatedUnixNs())
        };
    }

    /** The first digits of an id. */
    static String brief(String id) {
        var hex = id.substring(id.indexOf(':') + 1);
        return hex.substring(0, Math.min(12, hex.length()));
    }
}
