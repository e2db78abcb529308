package podvm.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.MessageLite;
import com.google.protobuf.Parser;
import java.io.IOException;
import java.util.Optional;
import podvm.cli.wire.Call;
import podvm.cli.wire.CallFailure;

/** A call with several messages. Closing it ends the daemon's work on it. */
final class Exchange<T> implements AutoCloseable {
    private final Node node;
    private final String method;
    private final Call call;
    private final Parser<T> parser;

    Exchange(Node node, String method, Call call, Parser<T> parser) {
        this.node = node;
        this.method = method;
        this.call = call;
        this.parser = parser;
    }

    /** False when the call has ended. */
    boolean send(MessageLite message) throws Failure {
        try {
            return call.send(message.toByteArray());
        } catch (IOException e) {
            throw node.lost(method, e);
        }
    }

    void sendLast(MessageLite message) throws Failure {
        try {
            call.sendLast(message.toByteArray());
        } catch (IOException e) {
            throw node.lost(method, e);
        }
    }

    void endInput() throws Failure {
        try {
            call.halfClose();
        } catch (IOException e) {
            throw node.lost(method, e);
        }
    }

    /** Empty at the end. */
    Optional<T> next() throws Failure {
        try {
            var message = call.receive();
            return message.isEmpty()
                    ? Optional.empty()
                    : Optional.of(parser.parseFrom(message.get()));
        } catch (InvalidProtocolBufferException _) {
            throw Node.nonsense(method);
        } catch (CallFailure e) {
            throw Refusals.failure(e);
        } catch (IOException e) {
            throw node.lost(method, e);
        }
    }

    @Override
    public void close() {
        call.close();
    }
}
