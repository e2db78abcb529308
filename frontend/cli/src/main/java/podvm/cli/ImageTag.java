package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.Image;
import podvm.proto.node.v1.TagImageRequest;

/** Gives an image one more name. */
final class ImageTag implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of("image tag", "IMAGE NAME", "give an image one more name", 2, 2);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var request =
                TagImageRequest.newBuilder()
                        .setImage(given.operands().get(0))
                        .setName(given.operands().get(1))
                        .build();
        var image = session.node().ask("TagImage", request, Image.parser());
        session.stdio().print(image.getId());
        return 0;
    }
}
