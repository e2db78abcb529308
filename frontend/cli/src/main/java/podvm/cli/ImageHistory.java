package podvm.cli;

import java.io.IOException;

/** Tells how an image was built. */
final class ImageHistory implements Command {
    private static final int COLUMN = 80;

    @Override
    public Syntax syntax() {
        return Syntax.of(
                "image history",
                "IMAGE",
                "list the steps that built an image, the newest first",
                1,
                1,
                Option.OUTPUT,
                Option.flag("--no-trunc", "do not shorten"));
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var json = given.json();
        var steps =
                ImageInspect.details(given.operands().getFirst(), session)
                        .getHistoryList()
                        .reversed();
        if (json) {
            session.stdio().print(Json.of(steps));
            return 0;
        }
        var table = new Table("LAYER", "CREATED", "SIZE", "CREATED BY");
        for (var step : steps) {
            var by = step.getCreatedBy().isEmpty() ? step.getComment() : step.getCreatedBy();
            var line = by.replaceAll("\\s+", " ").strip();
            var whole = given.has("--no-trunc") || line.length() <= COLUMN;
            table.add(
                    step.getDiffId().isEmpty() ? "-" : ImageLs.brief(step.getDiffId()),
                    step.getCreatedUnixNs() == 0 ? "-" : Amounts.age(step.getCreatedUnixNs()),
                    Amounts.bytes(step.getDiskBytes()),
                    whole ? line : line.substring(0, COLUMN - 1) + "…");
        }
        table.print(session.stdio());
        return 0;
    }
}
