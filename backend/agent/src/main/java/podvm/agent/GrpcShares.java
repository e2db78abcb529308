package podvm.agent;

import com.google.protobuf.UnsafeByteOperations;
import podvm.engine.Deadline;
import podvm.engine.GuestShares;
import podvm.engine.PodException;
import podvm.proto.agent.v1.AgentGrpc;
import podvm.proto.agent.v1.EndShareRequest;
import podvm.proto.agent.v1.MountShareRequest;
import podvm.proto.agent.v1.ShareAnswer;

/** Shares over one connection. */
record GrpcShares(Connection connection) implements GuestShares {
    @Override
    public void mount(String name, Root root, Access access, Deadline deadline)
            throws PodException, InterruptedException {
        var request =
                MountShareRequest.newBuilder()
                        .setName(name)
                        .setRoot(
                                switch (root) {
                                    case DIRECTORY -> MountShareRequest.Root.DIRECTORY;
                                    case FILE -> MountShareRequest.Root.FILE;
                                })
                        .setReadOnly(access == Access.READ_ONLY);
        connection.ask(
                AgentGrpc.getMountShareMethod(),
                request.build(),
                "mount the share " + name,
                deadline);
    }

    @Override
    public void serve(String name, Server server) throws PodException, InterruptedException {
        var what = "serve the share " + name;
        try (var call = connection.converse(AgentGrpc.getServeShareMethod(), what)) {
            call.sendNow(ShareAnswer.newBuilder().setName(name).build());
            Answers answers =
                    answer -> {
                        var data = UnsafeByteOperations.unsafeWrap(answer);
                        try {
                            call.send(ShareAnswer.newBuilder().setData(data).build());
                        } catch (PodException e) {
                            // the guest asks again on the next connection, as the receiver below
                            // learns
                        }
                    };
            for (var asked = call.receive(); asked != null; asked = call.receive()) {
                server.request(asked.getData().asReadOnlyByteBuffer(), asked.getAgain(), answers);
            }
        }
    }

    @Override
    public void end(String name, Deadline deadline) throws PodException, InterruptedException {
        connection.ask(
                AgentGrpc.getEndShareMethod(),
                EndShareRequest.newBuilder().setName(name).build(),
                "end the share " + name,
                deadline);
    }
}
