package podvm.image.registry;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import podvm.engine.PodException;
import podvm.image.content.BulkStream;
import podvm.image.content.Refusal;

/**
 * A blob in one piece, though its connections may break: what is missing is asked for again, by
 * range where the server can. The reader checks the digest, so a server that sends other content
 * the second time is found out.
 */
final class BlobStream extends BulkStream {
    /** So much further, a connection was worth its while. */
    private static final long PROGRESS = 1 << 20;

    private final Source source;
    private final long size;
    private final int tries;

    private @Nullable InputStream body;
    private Optional<String> tag = Optional.empty();
    private long count;
    private long countAtFailure;
    private int failures;
    private volatile boolean closed;

    /** Where to get the rest. */
    interface Source {
        Answer open(Exchanges.Range rest) throws PodException, InterruptedException;

        void pause(int failures) throws InterruptedException;
    }

    BlobStream(Source source, long size, int tries) {
        this.source = source;
        this.size = size;
        this.tries = tries;
    }

    /** Tells early what is wrong: the blob is not there, or is another one. */
    void open() throws PodException, InterruptedException, IOException {
        reopen();
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        while (true) {
            try {
                int got = current().read(target, from, length);
                if (got >= 0) {
                    count += got;
                    return got;
                }
                if (count >= size || !mayTryAgain()) {
                    return -1;
                }
            } catch (Refusal e) {
                boolean broken = e.finding().kind() == PodException.Kind.UNAVAILABLE;
                if (!broken || closed || !mayTryAgain()) {
                    throw e;
                }
            }
            shut();
        }
    }

    /** Also frees a reader that waits. */
    @Override
    public void close() throws IOException {
        closed = true;
        shut();
    }

    private boolean mayTryAgain() {
        if (count - countAtFailure >= PROGRESS) {
            failures = 0;
        }
        countAtFailure = count;
        failures++;
        return failures < tries;
    }

    private synchronized void shut() throws IOException {
        var old = body;
        body = null;
        if (old != null) {
            old.close();
        }
    }

    private InputStream current() throws IOException {
        synchronized (this) {
            if (body != null) {
                return body;
            }
        }
        try {
            source.pause(failures);
            return reopen();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while asking for the rest of a blob");
        } catch (PodException e) {
            throw new Refusal(e);
        }
    }

    private InputStream reopen() throws PodException, InterruptedException, IOException {
        var answer = source.open(new Exchanges.Range(count, tag));
        tag = strongTag(answer);
        synchronized (this) {
            body = answer.body();
            if (closed) {
                body.close();
                throw new IOException("the blob's reader has gone");
            }
        }
        if (answer.status() == 200 && count > 0) {
            skip(answer.body(), count);
        }
        return answer.body();
    }

    private static void skip(InputStream body, long bytes) throws IOException {
        try {
            body.skipNBytes(bytes);
        } catch (EOFException e) {
            throw new Refusal(
                    new PodException(
                            PodException.Kind.UNAVAILABLE,
                            "a second answer ends before the first",
                            "try again",
                            e));
        }
    }

    /** A weak one says nothing about single bytes (RFC 9110, section 8.8.1). */
    private static Optional<String> strongTag(Answer answer) {
        return answer.header("ETag").filter(text -> text.startsWith("\""));
    }
}
