package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.ConsoleChunk;
import podvm.proto.node.v1.ConsoleRequest;

/** Prints what a machine's kernel and agent say. */
final class Console implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "console",
                "POD",
                "print a machine's console",
                1,
                1,
                Option.flag("-f, --follow", "go on until the machine ends"));
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var request =
                ConsoleRequest.newBuilder()
                        .setPod(given.operands().getFirst())
                        .setFollow(given.has("--follow"))
                        .build();
        try (var chunks = session.node().stream("Console", request, ConsoleChunk.parser())) {
            for (var chunk = chunks.next(); chunk.isPresent(); chunk = chunks.next()) {
                Exec.write(chunk.get().getText(), session.stdio().out());
            }
        }
        return 0;
    }
}
