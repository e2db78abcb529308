package podvm.cri.streaming;

import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Waits until a client has opened all streams of a process, then joins the two. */
final class SpdyProcess implements SpdyConnection.Streams, Client {
    private final Destination.Process destination;
    private final SpdyConnection connection;
    private final Set<String> expected;
    private final Map<String, SpdyStream> streams = new HashMap<>();
    private final Inflow none;
    private @Nullable ProcessRun run;

    SpdyProcess(Destination.Process destination, SpdyConnection connection, Patience patience) {
        this.destination = destination;
        this.connection = connection;
        this.expected = expected(destination.streams());
        this.none = connection.inflow();
        connection.later(patience.streams(), this::checkComplete);
    }

    private static Set<String> expected(Destination.Streams wanted) {
        var types = new HashSet<String>();
        types.add("error");
        if (wanted.stdin()) {
            types.add("stdin");
        }
        if (wanted.stdout()) {
            types.add("stdout");
        }
        if (wanted.stderr()) {
            types.add("stderr");
        }
        if (wanted.terminal()) {
            types.add("resize");
        }
        return types;
    }

    @Override
    public void opened(SpdyStream stream) {
        if (run != null
                || !expected.contains(stream.type())
                || streams.putIfAbsent(stream.type(), stream) != null) {
            stream.end();
            stream.in().discard();
            return;
        }
        if (streams.keySet().equals(expected)) {
            run = new ProcessRun(destination, this);
            run.start();
        }
    }

    private void checkComplete() {
        if (run == null) {
            connection.wire().close();
        }
    }

    @Override
    public void gone() {
        if (run != null) {
            run.cancel();
        }
    }

    @Override
    public Inflow stdin() {
        return in("stdin");
    }

    @Override
    public Inflow resizes() {
        return in("resize");
    }

    private Inflow in(String type) {
        var stream = streams.get(type);
        return stream == null ? none : stream.in();
    }

    @Override
    public void stdout(byte[] data) throws IOException, InterruptedException {
        write("stdout", data);
    }

    @Override
    public void stderr(byte[] data) throws IOException, InterruptedException {
        write("stderr", data);
    }

    private void write(String type, byte[] data) throws IOException, InterruptedException {
        var stream = streams.get(type);
        if (stream != null) {
            stream.write(data);
        }
    }

    @Override
    public void finish(byte[] status) throws IOException, InterruptedException {
        write("error", status);
        streams.values().forEach(SpdyStream::end);
        connection.wire().farewell();
    }

    @Override
    public void drop() {
        connection.wire().close();
    }
}
