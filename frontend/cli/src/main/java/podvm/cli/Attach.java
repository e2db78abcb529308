package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.AttachRequest;
import podvm.proto.node.v1.AttachResponse;
import podvm.proto.node.v1.AttachStart;
import podvm.proto.node.v1.Attached;
import podvm.proto.node.v1.TerminalSize;

/** Joins a running container's streams. */
final class Attach implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "attach",
                "POD",
                "join a running container's input and output",
                1,
                1,
                Option.value("-c, --container", "NAME", "else the pod's first"),
                Option.flag("--no-stdin", "output only"));
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var start =
                AttachStart.newBuilder()
                        .setPod(given.operands().getFirst())
                        .setContainer(given.value("--container").orElse(""))
                        .setStdin(!given.has("--no-stdin"));
        try (var call = session.node().exchange("Attach", AttachResponse.parser())) {
            call.send(AttachRequest.newBuilder().setStart(start).build());
            var joined = call.next();
            if (joined.isEmpty() || !joined.get().hasAttached()) {
                throw Failure.of("podvmd does not say what it attached to", "");
            }
            var attached = joined.get().getAttached();
            if (attached.getTerminal() && start.getStdin() && session.stdio().inIsTerminal()) {
                return onTerminal(call, attached, session.stdio());
            }
            return converse(call, attached, start.getStdin(), session.stdio());
        }
    }

    private static int onTerminal(Exchange<AttachResponse> call, Attached attached, Stdio stdio)
            throws Failure, IOException {
        call.send(resize(RawTerminal.size()));
        try (var _ = RawTerminal.enter();
                var _ = Interrupts.on("WINCH", () -> resized(call))) {
            return converse(call, attached, true, stdio);
        }
    }

    private static void resized(Exchange<AttachResponse> call) {
        try {
            call.send(resize(RawTerminal.size()));
        } catch (Failure _) {
            // whoever receives hears of the call's end
        }
    }

    private static AttachRequest resize(TerminalSize size) {
        return AttachRequest.newBuilder().setResize(size).build();
    }

    private static int converse(
            Exchange<AttachResponse> call, Attached attached, boolean stdin, Stdio stdio)
            throws Failure, IOException {
        if (stdin && attached.getStdin()) {
            InputPump.start(
                    stdio.in(),
                    data -> call.send(AttachRequest.newBuilder().setStdin(data).build()),
                    () -> call.send(AttachRequest.newBuilder().setCloseStdin(true).build()));
        }
        for (var answer = call.next(); answer.isPresent(); answer = call.next()) {
            switch (answer.get().getMessageCase()) {
                case STDOUT -> Exec.write(answer.get().getStdout(), stdio.out());
                case STDERR -> Exec.write(answer.get().getStderr(), stdio.err());
                case EXIT_CODE -> {
                    return answer.get().getExitCode();
                }
                case ATTACHED, MESSAGE_NOT_SET -> {}
            }
        }
        throw Failure.of("the container ended without an exit code", "see podvm inspect");
    }
}
