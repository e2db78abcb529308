package podvm.engine.log;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.function.BiConsumer;
import podvm.engine.Agent.OutputStreamKind;

/** Finds out where an earlier daemon stopped writing. */
final class LogTail {
    private static final int STAMP = "2026-01-01T00:00:00.000000000Z".length();
    private static final int HEAD = STAMP + " stdout".length();

    private LogTail() {}

    /** Cuts off a last line without newline, sets the position to the end and returns it. */
    static long cutTornLine(FileChannel file) throws IOException {
        long end = file.size();
        var block = ByteBuffer.allocate(4096);
        long keep = 0;
        for (long from = end; from > 0 && keep == 0; ) {
            from = Math.max(0, from - block.capacity());
            block.clear().limit((int) Math.min(block.capacity(), end - from));
            while (block.hasRemaining() && file.read(block, from + block.position()) >= 0) {}
            for (int i = block.position() - 1; i >= 0 && keep == 0; i--) {
                if (block.get(i) == '\n') {
                    keep = from + i + 1;
                }
            }
        }
        if (keep < end) {
            file.truncate(keep);
        }
        file.position(keep);
        return keep;
    }

    /**
     * Hands stream and time of each line to the visitor. Lines that are not ours are passed over.
     */
    static void scan(Path file, BiConsumer<OutputStreamKind, Instant> visitor) throws IOException {
        try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 1 << 16)) {
            var head = new byte[HEAD];
            while (in.readNBytes(head, 0, HEAD) == HEAD) {
                var text = new String(head, US_ASCII);
                try {
                    visitor.accept(
                            text.endsWith("stderr")
                                    ? OutputStreamKind.STDERR
                                    : OutputStreamKind.STDOUT,
                            LogTime.parse(text.substring(0, STAMP)));
                } catch (DateTimeException e) {
                    // not written by us; the line is skipped like any other
                }
                for (int b = in.read(); b != '\n' && b != -1; ) {
                    b = in.read();
                }
            }
        }
    }
}
