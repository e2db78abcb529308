package podvm.agent;

import com.google.protobuf.UnsafeByteOperations;
import java.util.Arrays;
import podvm.engine.GuestSockets;
import podvm.engine.PodException;
import podvm.engine.PortConnection;
import podvm.proto.agent.v1.AcceptSocketRequest;
import podvm.proto.agent.v1.AcceptSocketResponse;
import podvm.proto.agent.v1.AcceptSocketResponse.MessageCase;

/** A program's connection to a socket as a call of its own, which has been waiting for it. */
final class SocketCall implements GuestSockets.Caller, PortConnection {
    private static final byte[] END = {};

    private final Conversation<AcceptSocketRequest, AcceptSocketResponse> call;
    private final Peer peer;
    private final String what;
    private volatile boolean atEnd;
    private volatile boolean inputEnded;

    private SocketCall(
            Conversation<AcceptSocketRequest, AcceptSocketResponse> call, Peer peer, String what) {
        this.call = call;
        this.peer = peer;
        this.what = what;
    }

    /** Takes over the call, also when this fails. */
    static SocketCall await(
            Conversation<AcceptSocketRequest, AcceptSocketResponse> call,
            Peer peer,
            String what,
            String name)
            throws PodException, InterruptedException {
        var accepted = false;
        try {
            call.sendNow(AcceptSocketRequest.newBuilder().setName(name).build());
            var first = call.receive();
            if (first == null || first.getMessageCase() != MessageCase.ACCEPTED) {
                throw peer.corrupt(what, "something else than that a program has connected");
            }
            accepted = true;
            return new SocketCall(call, peer, what);
        } finally {
            if (!accepted) {
                call.close();
            }
        }
    }

    @Override
    public PortConnection connected() throws PodException {
        call.sendNow(AcceptSocketRequest.newBuilder().setConnected(true).build());
        return this;
    }

    @Override
    public void send(byte[] data) throws PodException, InterruptedException {
        for (int at = 0; at < data.length; at += ContainerInput.PIECE) {
            var end = Math.min(at + ContainerInput.PIECE, data.length);
            var piece = UnsafeByteOperations.unsafeWrap(Arrays.copyOfRange(data, at, end));
            call.send(AcceptSocketRequest.newBuilder().setData(piece).build());
        }
    }

    @Override
    public void endOfInput() {
        inputEnded = true;
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
            case ACCEPTED, MESSAGE_NOT_SET -> {}
        }
        throw peer.corrupt(what, "neither data nor their end");
    }

    /** Where both directions have ended the guest ends the call, when the program has it all. */
    @Override
    public void close() {
        try {
            if (atEnd && inputEnded) {
                var _ = call.receive();
            }
        } catch (PodException e) {
            // the connection has ended before that
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            call.close();
        }
    }
}
