package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.RemovePodRequest;
import podvm.proto.node.v1.RemovePodResponse;

/** Removes pods. */
final class Rm implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "rm",
                "POD...",
                "remove ended pods with their logs",
                1,
                Integer.MAX_VALUE,
                Option.flag("-f, --force", "kill those that run"));
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        for (var pod : given.operands()) {
            var request =
                    RemovePodRequest.newBuilder()
                            .setPod(pod)
                            .setForce(given.has("--force"))
                            .build();
            session.node().ask("RemovePod", request, RemovePodResponse.parser());
            session.stdio().print(pod);
            session.stdio().flush();
        }
        return 0;
    }
}
