package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.Pod;
import podvm.proto.node.v1.WaitPodRequest;

/** Waits for a pod's end. */
final class Wait implements Command {
    @Override
    public Syntax syntax() {
        return Syntax.of("wait", "POD", "wait for a pod's end; print and return its code", 1, 1);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var request = WaitPodRequest.newBuilder().setPod(given.operands().getFirst()).build();
        var pod = session.node().ask("WaitPod", request, Pod.parser());
        session.stdio().print(Integer.toString(pod.getExitCode()));
        return pod.getExitCode();
    }
}
