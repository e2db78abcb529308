package podvm.node;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.util.function.Function;
import podvm.engine.Agent;

/** A process's output as messages of a call. */
final class Streams<T> implements Agent.ExecOutput {
    private static final int LARGEST_CHUNK = 64 << 10;

    private final Outlet<T> out;
    private final Function<ByteString, T> stdout;
    private final Function<ByteString, T> stderr;

    Streams(Outlet<T> out, Function<ByteString, T> stdout, Function<ByteString, T> stderr) {
        this.out = out;
        this.stdout = stdout;
        this.stderr = stderr;
    }

    @Override
    public void stdout(byte[] data) {
        send(data, stdout);
    }

    @Override
    public void stderr(byte[] data) {
        send(data, stderr);
    }

    private void send(byte[] data, Function<ByteString, T> message) {
        try {
            chunks(out, data, message);
        } catch (IOException _) {
            // the client has gone, of which the call's own thread hears by its interrupt
        }
    }

    static <T> void chunks(Outlet<T> out, byte[] data, Function<ByteString, T> message)
            throws IOException {
        for (var at = 0; at < data.length; at += LARGEST_CHUNK) {
            var length = Math.min(LARGEST_CHUNK, data.length - at);
            out.send(message.apply(UnsafeByteOperations.unsafeWrap(data, at, length)));
        }
    }
}
