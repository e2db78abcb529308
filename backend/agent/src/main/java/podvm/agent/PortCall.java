package podvm.agent;

import com.google.protobuf.UnsafeByteOperations;
import java.util.Arrays;
import podvm.engine.PodException;
import podvm.engine.PortConnection;
import podvm.proto.agent.v1.ConnectPortRequest;
import podvm.proto.agent.v1.ConnectPortResponse;
import podvm.proto.agent.v1.ConnectPortResponse.MessageCase;

/** A connection to a port as a call of its own. */
final class PortCall implements PortConnection {
    private static final byte[] END = {};

    private final Conversation<ConnectPortRequest, ConnectPortResponse> call;
    private final Peer peer;
    private final String what;
    private boolean atEnd;

    private PortCall(
            Conversation<ConnectPortRequest, ConnectPortResponse> call, Peer peer, String what) {
        this.call = call;
        this.peer = peer;
        this.what = what;
    }

    /** Takes over the call, also when this fails. */
    static PortCall open(
            Conversation<ConnectPortRequest, ConnectPortResponse> call,
            Peer peer,
            String what,
            int port)
            throws PodException, InterruptedException {
        var connected = false;
        try {
            call.sendNow(ConnectPortRequest.newBuilder().setPort(port).build());
            var first = call.receive();
            if (first == null || first.getMessageCase() != MessageCase.CONNECTED) {
                throw peer.corrupt(what, "something else than that it is connected");
            }
            connected = true;
            return new PortCall(call, peer, what);
        } finally {
            if (!connected) {
                call.close();
            }
        }
    }

    @Override
    public void send(byte[] data) throws PodException, InterruptedException {
        for (int at = 0; at < data.length; at += ContainerInput.PIECE) {
            var end = Math.min(at + ContainerInput.PIECE, data.length);
            var piece = UnsafeByteOperations.unsafeWrap(Arrays.copyOfRange(data, at, end));
            call.send(ConnectPortRequest.newBuilder().setData(piece).build());
        }
    }

    @Override
    public void endOfInput() {
        call.halfClose();
    }

    @Override
    public byte[] receive() throws PodException, InterruptedException {
        if (atEnd) {
            return END;
        }
        var message = call.receive();
        if (message == null) {
            throw peer.corrupt(what, "no end of the program's data");
        }
        switch (message.getMessageCase()) {
            case DATA -> {
                if (!message.getData().isEmpty()) {
                    return message.getData().toByteArray();
                }
            }
            case END -> {
                atEnd = true;
                return END;
            }
            case CONNECTED, MESSAGE_NOT_SET -> {}
        }
        throw peer.corrupt(what, "neither data nor their end");
    }

    @Override
    public void close() {
        call.close();
    }
}
