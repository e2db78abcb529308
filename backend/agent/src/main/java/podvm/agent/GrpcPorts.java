package podvm.agent;

import podvm.engine.GuestPorts;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PortConnection;
import podvm.proto.agent.v1.AgentGrpc;

/** The guest's ports over one connection. */
record GrpcPorts(Connection connection) implements GuestPorts {
    @Override
    public PortConnection connect(int port) throws PodException, InterruptedException {
        if (port < 1 || port > 65_535) {
            throw new PodException(Kind.INVALID, "not a port: " + port, "use 1 to 65535");
        }
        var what = "connect to port " + port;
        return PortCall.open(
                connection.converse(AgentGrpc.getConnectPortMethod(), what),
                connection.peer(),
                what,
                port);
    }
}
