package podvm.cli;

import java.io.IOException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import podvm.proto.node.v1.PodEventsRequest;
import podvm.proto.node.v1.PodEventsResponse;
import podvm.proto.node.v1.PodHappening;

/** Tells what happened to pods and their containers. */
final class Events implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "events",
                "",
                "tell what happened to pods and containers",
                0,
                0,
                Option.flag("-f, --follow", "go on with what happens"),
                Option.value("--since", "TIME", "newer than 90s, 10m, 2h, or a time in RFC 3339"),
                Option.OUTPUT);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        boolean json = given.json();
        var request = PodEventsRequest.newBuilder().setFollow(given.has("--follow"));
        if (given.has("--since")) {
            request.setSinceUnixNs(Logs.since(given.value("--since").orElse(""), Instant.now()));
        }
        try (var events =
                session.node().stream("PodEvents", request.build(), PodEventsResponse.parser())) {
            for (var event = events.next(); event.isPresent(); event = events.next()) {
                if (event.get().hasHappening()) {
                    var happening = event.get().getHappening();
                    session.stdio().print(json ? Json.line("pod", happening) : line(happening));
                } else {
                    tellLost(event.get().getLost(), json, session.stdio());
                }
                if (given.has("--follow")) {
                    session.stdio().flush();
                }
            }
        }
        return 0;
    }

    private static void tellLost(long count, boolean json, Stdio stdio) throws IOException {
        if (json) {
            stdio.print("{\"event\": \"lost\", \"count\": " + count + "}");
        } else {
            stdio.tell("podvm: " + count + " events are missing here: they came too fast");
        }
    }

    private static String line(PodHappening happening) {
        var at = Instant.ofEpochSecond(0, happening.getAtUnixNs()).truncatedTo(ChronoUnit.MILLIS);
        var text =
                new StringBuilder("%-24s  %-10s  ".formatted(at, happening.getKind()))
                        .append(happening.getNamespace())
                        .append('/')
                        .append(happening.getPod());
        if (!happening.getContainer().isEmpty()) {
            text.append('/').append(happening.getContainer());
        }
        text.append(" (")
                .append(happening.getPodId(), 0, Math.min(12, happening.getPodId().length()));
        text.append(')');
        if (happening.getKind().equals("exited") || happening.getKind().equals("ended")) {
            text.append(" code ").append(happening.getExitCode());
        }
        if (!happening.getReason().isEmpty()) {
            text.append(' ').append(happening.getReason());
        }
        if (!happening.getMessage().isEmpty()) {
            text.append(": ").append(happening.getMessage().replace('\n', ' '));
        }
        return text.toString();
    }
}
