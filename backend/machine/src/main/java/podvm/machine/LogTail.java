package podvm.machine;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The last lines of a log that a guest or a VMM wrote, made harmless for a terminal: its writer is
 * not trusted.
 */
public final class LogTail {
    private static final int BYTES = 8192;
    private static final int LINE = 300;

    private LogTail() {}

    /** Empty when there is no log, or none that can be read. */
    public static String of(Path log, int lines) {
        try (var file = new RandomAccessFile(log.toFile(), "r")) {
            file.seek(Math.max(0, file.length() - BYTES));
            var bytes = new byte[BYTES];
            var got = Math.max(0, file.read(bytes));
            return last(new String(bytes, 0, got, StandardCharsets.UTF_8), lines);
        } catch (IOException e) {
            // told beside another failure, which it must not hide
            return "";
        }
    }

    static String last(String text, int lines) {
        var clean =
                text.lines()
                        .map(line -> line.replaceAll("\\p{Cntrl}", " ").stripTrailing())
                        .filter(line -> !line.isBlank())
                        .map(line -> line.length() > LINE ? line.substring(0, LINE) + "…" : line)
                        .toList();
        return String.join("\n", clean.subList(Math.max(0, clean.size() - lines), clean.size()));
    }
}
