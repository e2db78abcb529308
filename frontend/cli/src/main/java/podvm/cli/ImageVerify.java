package podvm.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import podvm.proto.node.v1.LayerCheck;
import podvm.proto.node.v1.VerifyEvent;
import podvm.proto.node.v1.VerifyImagesRequest;

/** Reads layers whole and compares them with what was written. */
final class ImageVerify implements Command {
    private static final int DAMAGED = 1;

    @Override
    public Syntax syntax() {
        return Syntax.of(
                "image verify",
                "[IMAGE]",
                "check every byte of the layers; 1 when one is damaged or missing",
                0,
                1,
                Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var json = given.json();
        var image = given.operands().isEmpty() ? "" : given.operands().getFirst();
        var request = VerifyImagesRequest.newBuilder().setImage(image).build();
        var checks = checks(request, session);
        if (json) {
            session.stdio().print(Json.of(checks));
        } else {
            print(checks, session.stdio());
        }
        var whole = checks.stream().allMatch(check -> check.getState().equals("WHOLE"));
        return whole ? 0 : DAMAGED;
    }

    private static List<LayerCheck> checks(VerifyImagesRequest request, Session session)
            throws Failure {
        var checks = new ArrayList<LayerCheck>();
        try (var progress = Transfers.quiet(session.stdio(), "checking");
                var events = session.node().stream("VerifyImages", request, VerifyEvent.parser())) {
            for (var event = events.next(); event.isPresent(); event = events.next()) {
                if (event.get().hasProgress()) {
                    progress.at(event.get().getProgress());
                } else {
                    checks.add(event.get().getLayer());
                }
            }
        }
        return checks;
    }

    private static void print(List<LayerCheck> checks, Stdio stdio) throws IOException {
        var table = new Table("LAYER", "STATE", "SIZE", "IMAGES");
        for (var check : checks) {
            table.add(
                    ImageLs.brief(check.getDiffId()),
                    check.getState(),
                    Amounts.bytes(check.getDiskBytes()),
                    String.join(", ", check.getImagesList()));
        }
        table.print(stdio);
        for (var check : checks) {
            if (!check.getState().equals("WHOLE")) {
                stdio.print("\nlayer " + check.getDiffId() + ":");
                stdio.print("  " + check.getDetail());
                stdio.print("  podvm pull or podvm image import brings it back");
            }
        }
    }
}
