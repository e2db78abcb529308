package podvm.cli;

import java.io.IOException;
import java.util.ArrayList;
import podvm.proto.node.v1.GetPodRequest;
import podvm.proto.node.v1.Pod;

/** Shows all that is known of pods. */
final class Inspect implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of(
                "inspect",
                "POD...",
                "print all that is known of pods, as JSON",
                1,
                Integer.MAX_VALUE);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var pods = new ArrayList<Pod>();
        for (var pod : given.operands()) {
            var request = GetPodRequest.newBuilder().setPod(pod).build();
            pods.add(session.node().ask("GetPod", request, Pod.parser()));
        }
        session.stdio().print(pods.size() == 1 ? Json.of(pods.getFirst()) : Json.of(pods));
        return 0;
    }
}
