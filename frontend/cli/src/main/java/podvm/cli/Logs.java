package podvm.cli;

import java.io.IOException;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Locale;
import podvm.proto.node.v1.GetPodRequest;
import podvm.proto.node.v1.LogLine;
import podvm.proto.node.v1.LogsRequest;
import podvm.proto.node.v1.Pod;

/** Prints what containers have written. */
final class Logs implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "logs",
                "POD",
                "print what a pod's containers have written",
                1,
                1,
                Option.flag("-f, --follow", "go on until the pod has ended"),
                Option.value("-c, --container", "NAME", "of this container only"),
                Option.value("--since", "TIME", "newer than 90s, 10m, 2h, or a time in RFC 3339"),
                Option.value("--tail", "LINES", "the newest lines only"),
                Option.flag("--timestamps", "with the time of each line"),
                Option.flag("--prefix", "with the container's name before each line"));
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var pod = given.operands().getFirst();
        var request =
                LogsRequest.newBuilder()
                        .setPod(pod)
                        .setContainer(given.value("--container").orElse(""))
                        .setFollow(given.has("--follow"));
        given.number("--tail").ifPresent(request::setTail);
        if (given.has("--since")) {
            request.setSinceUnixNs(since(given.value("--since").orElse(""), Instant.now()));
        }
        var printer = new LinePrinter(session.stdio(), given.has("--timestamps"));
        if (given.has("--prefix")) {
            var known =
                    session.node()
                            .ask(
                                    "GetPod",
                                    GetPodRequest.newBuilder().setPod(pod).build(),
                                    Pod.parser());
            known.getContainersList().forEach(container -> printer.prefix(container.getName()));
        }
        LogStream.copy(
                session.node(), request.build(), session.stdio(), printer, LogLine::getContainer);
        printer.finish();
        return 0;
    }

    /** In nanoseconds since 1970. */
    static long since(String text, Instant now) throws Failure {
        try {
            var instant =
                    text.matches("([0-9]+[hms])+")
                            ? now.minus(Duration.parse("PT" + text.toUpperCase(Locale.ROOT)))
                            : OffsetDateTime.parse(text).toInstant();
            // nothing here is older
            var after = instant.isBefore(Instant.EPOCH) ? Instant.EPOCH : instant;
            return Math.multiplyExact(after.getEpochSecond(), 1_000_000_000L) + after.getNano();
        } catch (DateTimeException | ArithmeticException _) {
            throw Failure.usage(
                    "not a time: " + text, "write 90s, 10m, 1h30m, or 2026-01-31T12:00:00Z");
        }
    }
}
