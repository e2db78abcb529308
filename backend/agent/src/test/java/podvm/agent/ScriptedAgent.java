package podvm.agent;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import podvm.proto.agent.v1.AgentGrpc.AgentImplBase;
import podvm.proto.agent.v1.HelloRequest;
import podvm.proto.agent.v1.HelloResponse;

/** Says hello; tests override what they need. */
class ScriptedAgent extends AgentImplBase {
    @Override
    public void hello(HelloRequest request, StreamObserver<HelloResponse> answer) {
        answer.onNext(
                HelloResponse.newBuilder()
                        .setAgentVersion("0.1.0")
                        .setKernelRelease("6.1.0-cloud")
                        .setAgentRssBytes(2 << 20)
                        .build());
        answer.onCompleted();
    }

    static <T> void answer(StreamObserver<T> answer, T message) {
        answer.onNext(message);
        answer.onCompleted();
    }

    static void fail(StreamObserver<?> answer, Status status) {
        answer.onError(status.asRuntimeException());
    }
}
