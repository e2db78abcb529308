package podvm.cli;

import com.google.protobuf.ByteString;
import java.io.IOException;
import java.io.InputStream;

/** Hands standard input on until it or the call ends. */
final class InputPump {
    private static final int CHUNK = 16 << 10;

    private InputPump() {}

    /** What to do with input; false when nobody wants it any more. */
    @FunctionalInterface
    interface Sink {
        boolean send(ByteString data) throws Failure;
    }

    @FunctionalInterface
    interface End {
        void send() throws Failure;
    }

    /** On a thread of its own that does not hold the process: a read cannot be interrupted. */
    static void start(InputStream in, Sink sink, End end) {
        Thread.ofPlatform().daemon().name("stdin").start(() -> copy(in, sink, end));
    }

    private static void copy(InputStream in, Sink sink, End end) {
        var buffer = new byte[CHUNK];
        try {
            for (var count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                if (!sink.send(ByteString.copyFrom(buffer, 0, count))) {
                    return;
                }
            }
            end.send();
        } catch (IOException | Failure _) {
            // whoever receives the call's answers hears of its end
        }
    }
}
