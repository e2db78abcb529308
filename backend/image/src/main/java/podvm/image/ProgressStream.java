package podvm.image;

import java.io.IOException;
import java.io.InputStream;
import podvm.engine.Progress;
import podvm.image.content.BulkStream;

/** Tells how much of a stream has passed, about once for each MiB and at its end. */
final class ProgressStream extends BulkStream {
    private final InputStream in;
    private static final long STEP = 1 << 20;

    private final String step;
    private final long total;
    private final Progress progress;
    private long count;
    private long told = -1;

    /**
     * @param total bytes; -1 when not known
     */
    ProgressStream(InputStream in, String step, long total, Progress progress) {
        this.in = in;
        this.step = step;
        this.total = total;
        this.progress = progress;
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        int got = in.read(target, from, length);
        count += Math.max(0, got);
        boolean due = got < 0 ? told < count : count - told > STEP;
        if (due) {
            told = count;
            progress.at(step, count, total);
        }
        return got;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
