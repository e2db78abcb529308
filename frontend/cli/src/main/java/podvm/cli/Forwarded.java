package podvm.cli;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.net.Socket;
import podvm.proto.node.v1.ConnectRequest;
import podvm.proto.node.v1.ConnectResponse;
import podvm.proto.node.v1.ConnectStart;

/** One local connection, joined to one in the pod. What goes wrong is told, and ends it alone. */
final class Forwarded {
    private static final int CHUNK = 32 << 10;

    private final Session session;
    private final String pod;
    private final int port;
    private final Socket socket;
    private volatile boolean left;

    Forwarded(Session session, String pod, int port, Socket socket) {
        this.session = session;
        this.pod = pod;
        this.port = port;
        this.socket = socket;
    }

    void run() {
        try (socket;
                var call = session.node().exchange("Connect", ConnectResponse.parser())) {
            var start = ConnectStart.newBuilder().setPod(pod).setPort(port);
            call.send(ConnectRequest.newBuilder().setStart(start).build());
            receive(call);
        } catch (Failure e) {
            if (!left) {
                session.stdio().tell(e.text());
            }
        } catch (IOException _) {
            // the local side has left
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    private void receive(Exchange<ConnectResponse> call)
            throws Failure, IOException, InterruptedException {
        var pump = Thread.ofVirtual().name("forward-input").unstarted(() -> pump(call));
        try {
            for (var answer = call.next(); answer.isPresent(); answer = call.next()) {
                switch (answer.get().getMessageCase()) {
                    case CONNECTED -> pump.start();
                    case DATA -> answer.get().getData().writeTo(socket.getOutputStream());
                    case END -> socket.shutdownOutput();
                    case MESSAGE_NOT_SET -> {}
                }
            }
        } finally {
            // a read of the socket ends with it
            socket.close();
            if (pump.getState() != Thread.State.NEW) {
                pump.join();
            }
        }
    }

    private void pump(Exchange<ConnectResponse> call) {
        var buffer = new byte[CHUNK];
        try {
            var in = socket.getInputStream();
            for (var count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                var data = ByteString.copyFrom(buffer, 0, count);
                if (!call.send(ConnectRequest.newBuilder().setData(data).build())) {
                    return;
                }
            }
            call.endInput();
        } catch (IOException _) {
            left = true;
            call.close();
        } catch (Failure _) {
            // whoever receives the call's answers hears of its end
        }
    }
}
