package podvm.image.registry;

import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.image.Refusal;

/** What a server sends. The deadline ends it, and its errors name the server. */
final class Body extends FilterInputStream {
    private final String host;
    private final Future<?> end;
    private volatile boolean expired;

    Body(InputStream in, String host, Deadline deadline, ScheduledExecutorService timer) {
        super(in);
        this.host = host;
        this.end = timer.schedule(this::cut, deadline.leftMillis(), TimeUnit.MILLISECONDS);
    }

    @Override
    public int read() throws IOException {
        var one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        try {
            return in.read(target, from, length);
        } catch (InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            throw new Refusal(
                    expired
                            ? new PodException(
                                    PodException.Kind.DEADLINE,
                                    "timed out reading from " + host,
                                    "allow more time",
                                    e)
                            : new PodException(
                                    PodException.Kind.UNAVAILABLE,
                                    "the connection to %s broke: %s"
                                            .formatted(host, e.getMessage()),
                                    "try again",
                                    e));
        }
    }

    @Override
    public void close() throws IOException {
        end.cancel(false);
        in.close();
    }

    private void cut() {
        expired = true;
        try {
            in.close();
        } catch (IOException e) {
            // the reader learns by its own read that this has ended
            return;
        }
    }
}
