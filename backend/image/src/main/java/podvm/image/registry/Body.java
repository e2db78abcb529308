package podvm.image.registry;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.image.content.BulkStream;
import podvm.image.content.Refusal;

/**
 * What a server sends. The deadline ends it, or the server's silence; its errors name the server.
 */
final class Body extends BulkStream {
    private final InputStream in;
    private static final long CHECKS = 4;

    private final String host;
    private final Deadline deadline;
    private final Duration idle;
    private final Future<?> watch;

    /** When the read that waits now began; zero when none does. */
    private volatile long waitingSince;

    private volatile boolean expired;

    Body(
            InputStream in,
            String host,
            Deadline deadline,
            Duration idle,
            ScheduledExecutorService timer) {
        this.in = in;
        this.host = host;
        this.deadline = deadline;
        this.idle = idle;
        long period = Math.max(1, Math.min(idle.toMillis(), deadline.leftMillis()) / CHECKS);
        this.watch =
                timer.scheduleWithFixedDelay(
                        this::check, period, Math.min(period, 1000), TimeUnit.MILLISECONDS);
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        // zero would mean that nobody waits
        waitingSince = System.nanoTime() | 1;
        try {
            return in.read(target, from, length);
        } catch (InterruptedIOException e) {
            throw e;
        } catch (IOException e) {
            throw told(e);
        } finally {
            waitingSince = 0;
        }
    }

    @Override
    public long skip(long count) throws IOException {
        var skipped = new byte[Math.clamp(count, 0, 16 << 10)];
        return Math.max(0, read(skipped, 0, skipped.length));
    }

    @Override
    public void close() throws IOException {
        watch.cancel(false);
        in.close();
    }

    private IOException told(IOException e) {
        if (e.getCause() instanceof InterruptedException) {
            var interrupted = new InterruptedIOException("interrupted reading from " + host);
            interrupted.initCause(e);
            return interrupted;
        }
        if (expired && deadline.passed()) {
            return new Refusal(
                    new PodException(
                            PodException.Kind.DEADLINE,
                            "timed out reading from " + host,
                            "allow more time",
                            e));
        }
        var why = expired ? "nothing came for " + idle.toSeconds() + " s" : Failures.cause(e);
        return new Refusal(
                new PodException(
                        PodException.Kind.UNAVAILABLE,
                        "the connection to %s broke: %s".formatted(host, why),
                        "try again",
                        e));
    }

    private void check() {
        long since = waitingSince;
        boolean silent = since != 0 && System.nanoTime() - since > idle.toNanos();
        if (!silent && !deadline.passed()) {
            return;
        }
        expired = true;
        watch.cancel(false);
        try {
            in.close();
        } catch (IOException e) {
            // the reader learns by its own read that this has ended
            return;
        }
    }
}
