package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.ImageEvent;
import podvm.proto.node.v1.PullImageRequest;

/** Fetches an image. */
final class Pull implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of("pull", "IMAGE", "fetch an image and make it ready to mount", 1, 1);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var request =
                PullImageRequest.newBuilder().setReference(given.operands().getFirst()).build();
        var progress = new TransferLine(session.stdio());
        try (var events = session.node().stream("PullImage", request, ImageEvent.parser())) {
            for (var event = events.next(); event.isPresent(); event = events.next()) {
                if (event.get().hasProgress()) {
                    progress.at(event.get().getProgress());
                } else {
                    progress.clear();
                    session.stdio().print(event.get().getImage().getId());
                }
            }
        } finally {
            progress.clear();
        }
        return 0;
    }
}
