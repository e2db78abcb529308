package podvm.agent;

import podvm.engine.GuestPorts;
import podvm.engine.PodException;
import podvm.engine.PortConnection;
import podvm.proto.agent.v1.AgentGrpc;

/** The guest's ports over one connection. */
record GrpcPorts(Connection connection) implements GuestPorts {
    @Override
    public PortConnection connect(int port) throws PodException, InterruptedException {
        var what = "connect to port " + GuestPorts.check(port);
        return PortCall.open(
                connection.converse(AgentGrpc.getConnectPortMethod(), what),
                connection.peer(),
                what,
                port);
    }
}
