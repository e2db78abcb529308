package podvm.node;

import static podvm.engine.PodException.Kind.INVALID;

import java.io.IOException;
import podvm.engine.PodException;
import podvm.engine.Pods;
import podvm.engine.PortConnection;
import podvm.proto.node.v1.ConnectRequest;
import podvm.proto.node.v1.ConnectResponse;

/** A connection to a pod's port, joined to a client's call. */
final class Connect implements Work.Body<ConnectResponse> {
    private final Pods pods;
    private final Inlet<ConnectRequest> in;

    Connect(Pods pods, Inlet<ConnectRequest> in) {
        this.pods = pods;
        this.in = in;
    }

    @Override
    public void run(Outlet<ConnectResponse> out)
            throws PodException, InterruptedException, IOException {
        var first = in.take().filter(ConnectRequest::hasStart);
        if (first.isEmpty()) {
            throw new PodException(INVALID, "connect did not begin with its start message", "");
        }
        var start = first.get().getStart();
        try (var connection = pods.connect(pods.resolve(start.getPod()), start.getPort())) {
            out.send(ConnectResponse.newBuilder().setConnected(true).build());
            var pump = Thread.ofVirtual().name("connect-input").start(() -> pump(connection));
            try {
                for (var data = connection.receive();
                        data.length > 0;
                        data = connection.receive()) {
                    Streams.chunks(
                            out,
                            data,
                            bytes -> ConnectResponse.newBuilder().setData(bytes).build());
                }
                out.send(ConnectResponse.newBuilder().setEnd(true).build());
                pump.join();
            } finally {
                pump.interrupt();
                pump.join();
            }
        }
    }

    private void pump(PortConnection connection) {
        try {
            for (var message = in.take(); message.isPresent(); message = in.take()) {
                connection.send(message.get().getData().toByteArray());
            }
            connection.endOfInput();
        } catch (PodException _) {
            // the program takes no more; whether it sends, receive() tells
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
