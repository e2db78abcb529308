package podvm.agent;

import podvm.engine.Deadline;
import podvm.engine.GuestSockets;
import podvm.engine.PodException;
import podvm.proto.agent.v1.AgentGrpc;
import podvm.proto.agent.v1.OpenSocketRequest;

/** Sockets over one connection. */
record GrpcSockets(Connection connection) implements GuestSockets {
    @Override
    public void open(String name, Owner owner, Deadline deadline)
            throws PodException, InterruptedException {
        var request =
                OpenSocketRequest.newBuilder()
                        .setName(name)
                        .setMode(owner.mode())
                        .setUid(owner.uid())
                        .setGid(owner.gid());
        connection.ask(
                AgentGrpc.getOpenSocketMethod(),
                request.build(),
                "make the socket " + name,
                deadline);
    }

    @Override
    public Caller accept(String name) throws PodException, InterruptedException {
        var what = "accept a connection to the socket " + name;
        return SocketCall.await(
                connection.converse(AgentGrpc.getAcceptSocketMethod(), what),
                connection.peer(),
                what,
                name);
    }
}
