package podvm.cli;

import java.io.IOException;
import java.util.ArrayList;
import podvm.proto.node.v1.ImageRemoval;
import podvm.proto.node.v1.RemoveImageRequest;

/** Forgets names of images, and the images with their last one. */
final class ImageRm implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "image rm",
                "IMAGE...",
                "forget names of images; with its last one an image that no pod uses is removed",
                1,
                Integer.MAX_VALUE,
                Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var json = given.json();
        var removals = new ArrayList<ImageRemoval>();
        for (var image : given.operands()) {
            var request = RemoveImageRequest.newBuilder().setImage(image).build();
            var removal = session.node().ask("RemoveImage", request, ImageRemoval.parser());
            if (!json) {
                print(removal, session.stdio());
            }
            removals.add(removal);
        }
        if (json) {
            session.stdio().print(Json.of(removals));
        }
        return 0;
    }

    static void print(ImageRemoval removal, Stdio stdio) throws IOException {
        for (var name : removal.getNamesList()) {
            stdio.print("forgotten: " + name);
        }
        for (var image : removal.getImagesList()) {
            stdio.print("removed: " + image);
        }
        stdio.flush();
    }
}
