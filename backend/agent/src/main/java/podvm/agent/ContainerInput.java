package podvm.agent;

import com.google.protobuf.UnsafeByteOperations;
import java.util.Arrays;
import podvm.engine.Agent.InputWriter;
import podvm.engine.ContainerId;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.proto.agent.v1.WriteInputRequest;
import podvm.proto.agent.v1.WriteInputResponse;

/** The standard input of a container. */
final class ContainerInput implements InputWriter {
    static final int PIECE = 32 << 10;

    private final Conversation<WriteInputRequest, WriteInputResponse> call;
    private final String what;
    private boolean failed;
    private boolean closed;

    ContainerInput(
            Conversation<WriteInputRequest, WriteInputResponse> call,
            ContainerId container,
            String what)
            throws PodException {
        this.call = call;
        this.what = what;
        call.sendNow(WriteInputRequest.newBuilder().setContainerId(container.text()).build());
    }

    @Override
    public void write(byte[] bytes, int offset, int length)
            throws PodException, InterruptedException {
        failed = true;
        for (int at = offset; at < offset + length; at += PIECE) {
            var piece = Arrays.copyOfRange(bytes, at, Math.min(at + PIECE, offset + length));
            call.send(
                    WriteInputRequest.newBuilder()
                            .setData(UnsafeByteOperations.unsafeWrap(piece))
                            .build());
        }
        failed = false;
    }

    @Override
    public void close() throws PodException {
        if (closed) {
            return;
        }
        closed = true;
        try (call) {
            // a failed write has told the reason already, and its rest must not be cut off as an
            // end
            if (!failed) {
                call.halfClose();
                call.receive();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new PodException(
                    Kind.MACHINE,
                    "cannot " + what + ": interrupted before the guest took it all",
                    "",
                    e);
        }
    }
}
