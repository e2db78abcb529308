package podvm.engine.log;

import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.util.function.Consumer;
import podvm.engine.Agent.OutputStreamKind;

/**
 * Cuts one output stream into log entries.
 *
 * <p>Where it cuts, and the time an entry gets, depend only on the bytes from an entry's boundary
 * on and on the chunks they came in: output that is sent again gives the same entries again. All
 * entries of one chunk have its time, and no entry of another chunk does.
 */
final class LogLines {
    /**
     * Longer lines are cut into parts, which readers join again. containerd cuts at the same
     * length.
     */
    static final int MAX_BYTES = 16 * 1024;

    /**
     * @param time of the chunk that held the entry's last byte
     * @param end position in the stream after the entry, newline included
     */
    record Entry(OutputStreamKind stream, Instant time, byte[] text, boolean partial, long end) {}

    private final OutputStreamKind stream;
    private final Consumer<Entry> entries;
    private final ByteArrayOutputStream pending = new ByteArrayOutputStream();
    private Instant newest = Instant.EPOCH;
    private long position = -1;

    LogLines(OutputStreamKind stream, Consumer<Entry> entries) {
        this.stream = stream;
        this.entries = entries;
    }

    void add(long offset, byte[] data, Instant time) {
        if (position == -1) {
            position = offset;
        }
        newest = time;
        for (int at = 0; at < data.length; ) {
            int limit = Math.min(data.length, at + MAX_BYTES - pending.size());
            int newline = indexOfNewline(data, at, limit);
            int end = newline >= 0 ? newline : limit;
            pending.write(data, at, end - at);
            at = newline >= 0 ? newline + 1 : end;
            if (newline >= 0 || pending.size() == MAX_BYTES) {
                position += pending.size() + (newline >= 0 ? 1 : 0);
                flush(time, newline < 0);
            }
        }
    }

    /**
     * The stream has ended: what is left without a newline becomes an entry, later than all others.
     */
    void end() {
        if (pending.size() > 0) {
            position += pending.size();
            flush(newest.equals(Instant.MAX) ? newest : newest.plusNanos(1), true);
        }
    }

    private void flush(Instant time, boolean partial) {
        entries.accept(new Entry(stream, time, pending.toByteArray(), partial, position));
        pending.reset();
    }

    private static int indexOfNewline(byte[] data, int from, int to) {
        for (int i = from; i < to; i++) {
            if (data[i] == '\n') {
                return i;
            }
        }
        return -1;
    }
}
