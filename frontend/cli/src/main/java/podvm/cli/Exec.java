package podvm.cli;

import com.google.protobuf.ByteString;
import java.io.IOException;
import podvm.proto.node.v1.ExecRequest;
import podvm.proto.node.v1.ExecResponse;
import podvm.proto.node.v1.ExecStart;
import podvm.proto.node.v1.TerminalSize;

/** Executes a command in a running container. */
final class Exec implements Command {
    private static final int SIGINT = 2;

    @Override
    public Syntax syntax() {
        return Syntax.of(
                        "exec",
                        "POD [--] COMMAND [ARGUMENT...]",
                        "execute a command in a running container",
                        2,
                        Integer.MAX_VALUE,
                        Option.flag("-i, --stdin", "pass standard input on"),
                        Option.flag("-t, --tty", "give the command a terminal"),
                        Option.value("-c, --container", "NAME", "else the pod's first"),
                        Option.value("-w, --workdir", "DIRECTORY", "where it starts"),
                        Option.value("-e, --env", "NAME=VALUE", "a variable more"),
                        Option.value("-u, --user", "USER", "as whom it runs"))
                .verbatimAfter(1);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var operands = given.operands();
        var command = operands.subList(operands.get(1).equals("--") ? 2 : 1, operands.size());
        if (command.isEmpty()) {
            throw Failure.usage("podvm exec needs a command", "usage: " + syntax().usage());
        }
        var start =
                ExecStart.newBuilder()
                        .setPod(operands.getFirst())
                        .setContainer(given.value("--container").orElse(""))
                        .addAllArgs(command)
                        .addAllEnv(given.values("--env"))
                        .setWorkingDir(given.value("--workdir").orElse(""))
                        .setUser(given.value("--user").orElse(""))
                        .setStdin(given.has("--stdin"))
                        .setTerminal(given.has("--tty"));
        if (!given.has("--tty")) {
            return converse(start.build(), session, false);
        }
        if (!session.stdio().inIsTerminal()) {
            throw Failure.usage("-t needs a terminal as standard input", "leave it out");
        }
        start.setSize(RawTerminal.size());
        try (var _ = RawTerminal.enter()) {
            return converse(start.build(), session, true);
        }
    }

    private static int converse(ExecStart start, Session session, boolean terminal)
            throws Failure, IOException {
        try (var call = session.node().exchange("Exec", ExecResponse.parser())) {
            call.send(ExecRequest.newBuilder().setStart(start).build());
            try (var _ = terminal ? resizing(call) : interrupting(call)) {
                if (start.getStdin()) {
                    InputPump.start(
                            session.stdio().in(),
                            data -> call.send(ExecRequest.newBuilder().setStdin(data).build()),
                            () -> call.send(ExecRequest.newBuilder().setCloseStdin(true).build()));
                }
                return receive(call, session.stdio());
            }
        }
    }

    private static Interrupts.Handler resizing(Exchange<ExecResponse> call) {
        return Interrupts.on(
                "WINCH",
                () -> {
                    try {
                        call.send(resize(RawTerminal.size()));
                    } catch (Failure _) {
                        // whoever receives hears of the call's end
                    }
                });
    }

    private static ExecRequest resize(TerminalSize size) {
        return ExecRequest.newBuilder().setResize(size).build();
    }

    /** The first Ctrl-C is the command's, the second ours. */
    private static Interrupts.Handler interrupting(Exchange<ExecResponse> call) {
        var once = new java.util.concurrent.atomic.AtomicBoolean();
        return Interrupts.on(
                "INT",
                () -> {
                    if (!once.compareAndSet(false, true)) {
                        Runtime.getRuntime().halt(130);
                    }
                    try {
                        call.send(ExecRequest.newBuilder().setSignal(SIGINT).build());
                    } catch (Failure _) {
                        // whoever receives hears of the call's end
                    }
                });
    }

    private static int receive(Exchange<ExecResponse> call, Stdio stdio)
            throws Failure, IOException {
        for (var answer = call.next(); answer.isPresent(); answer = call.next()) {
            switch (answer.get().getMessageCase()) {
                case STDOUT -> write(answer.get().getStdout(), stdio.out());
                case STDERR -> write(answer.get().getStderr(), stdio.err());
                case EXIT -> {
                    var exit = answer.get().getExit();
                    if (!exit.getFailure().isEmpty()) {
                        stdio.tell("podvm: " + exit.getFailure());
                    }
                    return exit.getExitCode();
                }
                case MESSAGE_NOT_SET -> {}
            }
        }
        throw Failure.of("the command ended without an exit code", "see podvm inspect");
    }

    static void write(ByteString data, java.io.OutputStream out) throws IOException {
        synchronized (out) {
            data.writeTo(out);
            out.flush();
        }
    }
}
