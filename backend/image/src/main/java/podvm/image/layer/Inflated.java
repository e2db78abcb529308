package podvm.image.layer;

import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.image.content.ReadFailure;
import podvm.image.content.Refusal;

/**
 * A stream read and unpacked ahead, on a thread of its own: unpacking takes as long as everything
 * that is done with the result. It is a platform thread, since a busy one would hold up virtual
 * threads.
 */
public final class Inflated extends ReadyPieces {
    private static final int CHUNK = 256 << 10;
    private static final int CHUNKS = 6;

    /** Bytes, or the failure that ended the stream; neither at its end. */
    private record Piece(byte[] bytes, int length, @Nullable IOException failure) {}

    private final InputStream raw;
    private final String what;
    private final Deadline deadline;
    private final BlockingQueue<byte[]> free = new ArrayBlockingQueue<>(CHUNKS);
    private final BlockingQueue<Piece> filled = new ArrayBlockingQueue<>(CHUNKS + 1);
    private final HelperThread reader;
    private boolean ended;

    /**
     * Takes the stream over and closes it.
     *
     * @param what is read, for messages: "layer 3f1c9d…"
     */
    public Inflated(InputStream raw, String what, Deadline deadline) {
        this.raw = raw;
        this.what = what;
        this.deadline = deadline;
        for (int chunk = 0; chunk < CHUNKS; chunk++) {
            free.add(new byte[CHUNK]);
        }
        reader = HelperThread.start("inflate " + what, this::readAhead);
    }

    /** Ends the reading and waits for it to end. */
    @Override
    public void close() throws IOException {
        reader.interrupt();
        // frees a reader that waits for bytes and does not hear interrupts
        raw.close();
        reader.awaitEnd();
    }

    @Override
    boolean hasMore() throws IOException {
        while (at == end && !ended) {
            if (end > 0) {
                free.add(ready);
            }
            var piece = next();
            ready = piece.bytes;
            at = 0;
            end = piece.length;
            ended = end == 0;
            if (piece.failure != null) {
                throw piece.failure;
            }
        }
        return !ended;
    }

    private Piece next() throws IOException {
        try {
            var next = filled.poll(deadline.leftMillis(), TimeUnit.MILLISECONDS);
            if (next == null) {
                throw new Refusal(
                        new PodException(
                                PodException.Kind.DEADLINE,
                                "timed out reading " + what,
                                "allow more time"));
            }
            return next;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted reading " + what);
        }
    }

    private void readAhead() {
        try (raw;
                var decoded = Decoded.of(raw)) {
            while (true) {
                var chunk = free.take();
                int length = Math.max(0, decoded.readNBytes(chunk, 0, chunk.length));
                filled.add(new Piece(chunk, length, null));
                if (length == 0) {
                    return;
                }
            }
        } catch (InterruptedException e) {
            // close() asked for the end: nobody reads on
            return;
        } catch (IOException e) {
            filled.add(new Piece(new byte[0], 0, named(e)));
        }
    }

    private IOException named(IOException e) {
        if (e instanceof Refusal refusal) {
            return new Refusal(ReadFailure.named(refusal, "read " + what));
        }
        return new Refusal(
                new PodException(
                        PodException.Kind.UNAVAILABLE,
                        "cannot read %s: %s".formatted(what, e),
                        "try again",
                        e));
    }
}
