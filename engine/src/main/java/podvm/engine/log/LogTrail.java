package podvm.engine.log;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;
import podvm.engine.Agent.OutputStreamKind;
import podvm.engine.Pods.LogLine;

/** Reads one container's log from its oldest file on; can be asked again when more was written. */
final class LogTrail implements AutoCloseable {
    private static final int STAMP = "2026-01-01T00:00:00.000000000Z".length();
    private static final int TEXT = STAMP + " stdout F ".length();
    private static final int BUFFER = 64 * 1024;

    private final String container;
    private final LogSuccession files;
    private final Runnable moved;
    private volatile LogSuccession.@Nullable Opened file;
    private @Nullable InputStream in;
    private final byte[] buffer = new byte[BUFFER];
    private int start;
    private int end;
    private final AtomicLong lines = new AtomicLong();
    private boolean lost;

    /**
     * @param moved called when the next file was opened
     */
    LogTrail(String container, LogSuccession files, Runnable moved) {
        this.container = container;
        this.files = files;
        this.moved = moved;
    }

    /** The next line; empty when there is none yet. */
    Optional<LogLine> next() throws IOException {
        while (true) {
            for (int i = start; i < end; i++) {
                if (buffer[i] == '\n') {
                    var line = parse(start, i);
                    start = i + 1;
                    if (line.isPresent()) {
                        lines.incrementAndGet();
                        return line;
                    }
                    i = start - 1;
                }
            }
            if (!fill()) {
                return Optional.empty();
            }
        }
    }

    /** How many lines were read so far. */
    long lines() {
        return lines.get();
    }

    /** Whether this file is still to be opened by this reader. */
    boolean isBefore(Path other) {
        return files.isBefore(Optional.ofNullable(file), other);
    }

    /** Whether files have gone unread since this was last asked. */
    boolean lost() {
        boolean answer = lost;
        lost = false;
        return answer;
    }

    private boolean fill() throws IOException {
        if (in == null) {
            return openSuccessor() && fill();
        }
        System.arraycopy(buffer, start, buffer, 0, end - start);
        end -= start;
        start = 0;
        if (end == buffer.length) {
            // longer than any line of ours: drop it
            end = 0;
        }
        int n = read(in);
        if (n < 0) {
            if (successor().isEmpty()) {
                return false;
            }
            // the writer left this file before it began the next one: what is read now is all there
            // will be
            n = read(in);
            if (n < 0) {
                end = 0;
                return openSuccessor() && fill();
            }
        }
        end += n;
        return true;
    }

    private int read(InputStream from) throws IOException {
        try {
            return from.read(buffer, end, buffer.length - end);
        } catch (ZipException | EOFException e) {
            throw new FileSystemException(String.valueOf(file), null, e.getMessage());
        }
    }

    private Optional<Path> successor() throws IOException {
        return files.after(Optional.ofNullable(file));
    }

    /** Where rotation has just deleted the next file, the one after it is the next. */
    private boolean openSuccessor() throws IOException {
        for (var next = successor(); next.isPresent(); next = successor()) {
            try {
                var before = file;
                boolean gap = before != null && files.isGap(before, next.get());
                var opened = LogSuccession.Opened.of(next.get());
                close();
                in = opened.in();
                lost |= gap;
                file = opened;
                moved.run();
                return true;
            } catch (NoSuchFileException e) {
                // the list has changed
            }
        }
        return false;
    }

    private Optional<LogLine> parse(int from, int to) {
        if (to - from < TEXT) {
            return Optional.empty();
        }
        var head = new String(buffer, from, TEXT, US_ASCII);
        try {
            return Optional.of(
                    new LogLine(
                            container,
                            head.startsWith("stderr", STAMP + 1)
                                    ? OutputStreamKind.STDERR
                                    : OutputStreamKind.STDOUT,
                            Instant.parse(head.substring(0, STAMP)),
                            Arrays.copyOfRange(buffer, from + TEXT, to),
                            head.charAt(TEXT - 2) == 'P'));
        } catch (DateTimeException e) {
            return Optional.empty();
        }
    }

    @Override
    public void close() throws IOException {
        if (in != null) {
            in.close();
            in = null;
        }
    }
}
