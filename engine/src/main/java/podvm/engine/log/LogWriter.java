package podvm.engine.log;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import podvm.engine.Agent.Ack;
import podvm.engine.Agent.OutputSink;
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
public final class LogWriter implements OutputSink, AutoCloseable {
    /**
     * @param maxFileBytes a file that has grown past this is followed by a new one
     * @param maxFiles of a container, all attempts together
     */
    public record Limits(long maxFileBytes, int maxFiles) {}

    private final Path directory;
    private final int attempt;
    private final Limits limits;
    private final Runnable written;
    private final Map<OutputStreamKind, LogLines> streams = new EnumMap<>(OutputStreamKind.class);
    private final Map<OutputStreamKind, Written> before = new EnumMap<>(OutputStreamKind.class);
    private final Map<OutputStreamKind, Long> safe = new EnumMap<>(OutputStreamKind.class);
    private final ByteArrayOutputStream batch = new ByteArrayOutputStream();
    private FileChannel file;
    private int part;
    private long size;

    /**
     * The newest time stamp in the file, and how many entries bear it: what is sent again begins
     * before or at it.
     */
    private record Written(Instant newest, int entries) {}

    /**
     * @param written called after each write, to wake who follows the log
     */
    public LogWriter(Path directory, int attempt, Limits limits, Runnable written)
            throws PodException {
        this.directory = directory;
        this.attempt = attempt;
        this.limits = limits;
        this.written = written;
        try {
            Files.createDirectories(directory);
            var existing = LogFiles.ofAttempt(directory, attempt);
            part = existing.isEmpty() ? 0 : LogFiles.part(existing.getLast());
            file = open();
            deleteOldest();
            size = LogTail.cutTornLine(file);
            for (var old : LogFiles.ofAttempt(directory, attempt)) {
                LogTail.scan(
                        old,
                        (stream, time) ->
                                before.merge(stream, new Written(time, 1), LogWriter::later));
            }
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
                if (size > limits.maxFileBytes) {
                    rotate();
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

    private void rotate() throws IOException {
        file.close();
        part++;
        file = open();
        size = 0;
        deleteOldest();
    }

    /**
     * Each attempt begins a file too: a container that crashes again and again must not fill the
     * disk.
     */
    private void deleteOldest() throws IOException {
        var files = LogFiles.list(directory);
        for (var old : files.subList(0, Math.max(0, files.size() - limits.maxFiles))) {
            Files.deleteIfExists(old);
        }
    }

    private FileChannel open() throws IOException {
        return FileChannel.open(LogFiles.name(directory, attempt, part), CREATE, READ, WRITE);
    }

    private PodException failure(IOException cause) {
        var noSpace = cause.getMessage() != null && cause.getMessage().contains("No space left");
        return new PodException(
                noSpace ? PodException.Kind.EXHAUSTED : PodException.Kind.CORRUPT,
                "cannot write the log in " + directory + ": " + cause.getMessage(),
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
