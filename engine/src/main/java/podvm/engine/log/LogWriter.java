package podvm.engine.log;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import podvm.engine.Agent.Ack;
import podvm.engine.Agent.OutputStreamKind;
import podvm.engine.PodException;

/**
 * Writes one attempt of a container to its log in the CRI format, {@code <time> <stdout|stderr>
 * <P|F> <text>}.
 *
 * <p>Exactly once, also across a daemon that was killed: the guest keeps what was not acknowledged,
 * and an acknowledgement follows the write. What was written but not acknowledged comes again with
 * the same times; the entries that the file already has are left out, and a line that was torn by
 * the kill is cut off before that.
 */
public final class LogWriter implements LogSink {
    /**
     * @param maxFileBytes a file that has grown past this is followed by a new one
     * @param maxFiles of a container, all attempts together
     */
    public record Limits(long maxFileBytes, int maxFiles) {}

    private final LogPlace place;
    private final Runnable written;
    private final Map<OutputStreamKind, LogLines> streams = new EnumMap<>(OutputStreamKind.class);
    private final Map<OutputStreamKind, Written> before = new EnumMap<>(OutputStreamKind.class);
    private final Map<OutputStreamKind, Long> safe = new EnumMap<>(OutputStreamKind.class);
    private final ByteArrayOutputStream batch = new ByteArrayOutputStream();
    private FileChannel file;
    private long size;

    /**
     * The newest time stamp in the file, and how many entries bear it: what is sent again begins
     * before or at it.
     */
    private record Written(Instant newest, int entries) {}

    /** A log of our own, which begins a new file when one has grown. */
    static LogWriter inDirectory(
            Path directory, int attempt, Limits limits, LogHolds holds, Runnable written)
            throws PodException {
        return new LogWriter(new LogParts(directory, attempt, limits, holds), written);
    }

    /** Somebody else's file: whoever moves it away says so by {@link #reopen}. */
    public static LogWriter atPath(Path path) throws PodException {
        return new LogWriter(new LogPath(path), () -> {});
    }

    /**
     * @param written called after each write, to wake who follows the log
     */
    private LogWriter(LogPlace place, Runnable written) throws PodException {
        this.place = place;
        this.written = written;
        try {
            file = place.open();
            size = LogTail.cutTornLine(file);
            for (var old : place.written()) {
                LogTail.scan(
                        old,
                        (stream, time) ->
                                before.merge(stream, new Written(time, 1), LogWriter::later));
            }
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** Goes on in the file that has the name now; made where none has it. */
    public synchronized void reopen() throws PodException {
        try {
            var next = place.open();
            file.close();
            file = next;
            size = LogTail.cutTornLine(file);
        } catch (IOException e) {
            throw failure(e);
        }
    }

    private static Written later(Written old, Written next) {
        return old.newest.equals(next.newest) ? new Written(old.newest, old.entries + 1) : next;
    }

    @Override
    public synchronized void chunk(
            OutputStreamKind stream, long offset, byte[] data, Instant time, Ack ack)
            throws PodException {
        lines(stream).add(offset, data, time);
        flush(stream, ack);
    }

    @Override
    public synchronized void end(OutputStreamKind stream, Ack ack) throws PodException {
        lines(stream).end();
        flush(stream, ack);
    }

    private LogLines lines(OutputStreamKind stream) {
        return streams.computeIfAbsent(stream, kind -> new LogLines(kind, this::entry));
    }

    private void entry(LogLines.Entry entry) {
        safe.put(entry.stream(), entry.end());
        if (!alreadyWritten(entry)) {
            var head =
                    LogTime.format(entry.time())
                            + (entry.stream() == OutputStreamKind.STDOUT ? " stdout " : " stderr ");
            batch.writeBytes((head + (entry.partial() ? "P " : "F ")).getBytes(US_ASCII));
            batch.writeBytes(entry.text());
            batch.write('\n');
        }
    }

    private boolean alreadyWritten(LogLines.Entry entry) {
        var old = before.get(entry.stream());
        if (old == null) {
            return false;
        }
        int order = entry.time().compareTo(old.newest);
        if (order > 0) {
            before.remove(entry.stream());
            return false;
        }
        if (order == 0 && old.entries == 0) {
            return false;
        }
        if (order == 0) {
            before.put(entry.stream(), new Written(old.newest, old.entries - 1));
        }
        return true;
    }

    private void flush(OutputStreamKind stream, Ack ack) throws PodException {
        try {
            if (batch.size() > 0) {
                var next = place.next(size);
                if (next.isPresent()) {
                    file.close();
                    file = next.get();
                    size = 0;
                }
                var bytes = ByteBuffer.wrap(batch.toByteArray());
                size += bytes.remaining();
                batch.reset();
                while (bytes.hasRemaining()) {
                    file.write(bytes);
                }
                written.run();
            }
        } catch (IOException e) {
            throw failure(e);
        }
        var offset = safe.remove(stream);
        if (offset != null) {
            ack.upTo(stream, offset);
        }
    }

    private PodException failure(IOException cause) {
        var noSpace = cause.getMessage() != null && cause.getMessage().contains("No space left");
        return new PodException(
                noSpace ? PodException.Kind.EXHAUSTED : PodException.Kind.CORRUPT,
                "cannot write the log in " + place + ": " + cause.getMessage(),
                noSpace ? "free space there; the container waits" : "",
                cause);
    }

    @Override
    public synchronized void close() throws PodException {
        try {
            file.close();
        } catch (IOException e) {
            throw failure(e);
        }
    }
}
