package podvm.cri.streaming;

import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Pairs a port-forward's streams: each connection of a client's user has one for its bytes and one
 * for what goes wrong, joined by a request id.
 */
final class SpdyPorts implements SpdyConnection.Streams {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Destination.Ports destination;
    private final SpdyConnection connection;
    private final Map<String, SpdyStream> lonely = new HashMap<>();
    private final Set<PortRun> runs = new HashSet<>();
    private boolean gone;

    SpdyPorts(Destination.Ports destination, SpdyConnection connection) {
        this.destination = destination;
        this.connection = connection;
    }

    @Override
    public synchronized void opened(SpdyStream stream) {
        var request = stream.header("requestid");
        var other = lonely.remove(request);
        if (other == null) {
            lonely.put(request, stream);
            connection.later(PATIENCE, () -> giveUp(request, stream));
            return;
        }
        boolean errorFirst = other.type().equals("error");
        var error = errorFirst ? other : stream;
        var data = errorFirst ? stream : other;
        var run = new PortRun(destination.opener(), data, error, this::ended);
        if (!gone) {
            runs.add(run);
            run.start();
        }
    }

    private synchronized void giveUp(String request, SpdyStream stream) {
        if (lonely.remove(request, stream)) {
            stream.end();
            stream.in().discard();
            connection.forget(stream);
        }
    }

    private synchronized void ended(PortRun run) {
        runs.remove(run);
        connection.forget(run.data());
        connection.forget(run.error());
    }

    @Override
    public synchronized void gone() {
        gone = true;
        runs.forEach(PortRun::cancel);
    }
}
