package podvm.cli;

import java.io.IOException;
import java.util.ArrayList;
import podvm.proto.node.v1.ImageDetails;
import podvm.proto.node.v1.InspectImageRequest;

/** Shows all that is known of images. */
final class ImageInspect implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "image inspect",
                "IMAGE...",
                "print all that is known of images, as JSON",
                1,
                Integer.MAX_VALUE);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var images = new ArrayList<ImageDetails>();
        for (var image : given.operands()) {
            images.add(details(image, session));
        }
        session.stdio().print(images.size() == 1 ? Json.of(images.getFirst()) : Json.of(images));
        return 0;
    }

    static ImageDetails details(String image, Session session) throws Failure {
        var request = InspectImageRequest.newBuilder().setImage(image).build();
        return session.node().ask("InspectImage", request, ImageDetails.parser());
    }
}
