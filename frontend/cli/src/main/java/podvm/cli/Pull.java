package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.ImageEvent;
import podvm.proto.node.v1.PullImageRequest;

/** Fetches an image. */
final class Pull implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "pull",
                "IMAGE",
                "fetch an image and make it ready to mount",
                1,
                1,
                Option.value(
                        "-o, --output", "FORMAT", "table, or json: one object for each event"));
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var json = given.json();
        var reference = given.operands().getFirst();
        var request = PullImageRequest.newBuilder().setReference(reference).build();
        var stdio = session.stdio();
        try (var events = session.node().stream("PullImage", request, ImageEvent.parser());
                var transfers = Transfers.told(stdio, "pulling")) {
            for (var event = events.next(); event.isPresent(); event = events.next()) {
                if (json) {
                    stdio.print(line(event.get()));
                    stdio.flush();
                } else {
                    show(event.get(), reference, transfers, stdio);
                }
            }
        }
        return 0;
    }

    private static String line(ImageEvent event) throws Failure {
        return switch (event.getEventCase()) {
            case PROGRESS -> Json.line("progress", event.getProgress());
            case IMAGE -> Json.line("image", event.getImage());
            case NAME -> Json.line("name", event);
            case EVENT_NOT_SET -> throw Node.nonsense("PullImage");
        };
    }

    private static void show(ImageEvent event, String reference, Transfers transfers, Stdio stdio)
            throws Failure, IOException {
        switch (event.getEventCase()) {
            case PROGRESS -> transfers.at(event.getProgress());
            case NAME -> {
                if (!event.getName().equals(reference)) {
                    stdio.tell(reference + " is " + event.getName());
                }
            }
            case IMAGE -> {
                transfers.close();
                stdio.tell("pulled " + transfers.summary());
                stdio.print(event.getImage().getId());
            }
            case EVENT_NOT_SET -> throw Node.nonsense("PullImage");
        }
    }
}
