package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.StopPodRequest;
import podvm.proto.node.v1.StopPodResponse;

/** Stops pods. */
final class Stop implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "stop",
                "POD...",
                "stop pods and wait until they have ended",
                1,
                Integer.MAX_VALUE,
                Option.value("-t, --time", "SECONDS", "kill after this, not after the pod's own"));
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var grace = given.number("--time");
        for (var pod : given.operands()) {
            var request = StopPodRequest.newBuilder().setPod(pod);
            grace.ifPresent(request::setGraceSeconds);
            session.node().ask("StopPod", request.build(), StopPodResponse.parser());
            session.stdio().print(pod);
            session.stdio().flush();
        }
        return 0;
    }
}
