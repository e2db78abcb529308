package podvm.engine.pod;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.List;

/** The end of a machine's console, for error messages. */
final class ConsoleTail {
    private static final int BYTES = 8 * 1024;
    private static final int LINES = 24;

    private ConsoleTail() {}

    /** Empty where there is none. */
    static String read(Path console) {
        try (var file = FileChannel.open(console)) {
            file.position(Math.max(0, file.size() - BYTES));
            return clean(new String(Channels.newInputStream(file).readNBytes(BYTES), UTF_8));
        } catch (IOException e) {
            return "";
        }
    }

    /**
     * The last lines, without control characters: the guest wrote them. The first line is kept as
     * well where it is the reason of a panic.
     */
    static String clean(String text) {
        List<String> lines =
                text.lines()
                        .map(line -> line.replaceAll("\\p{Cc}", "").stripTrailing())
                        .filter(line -> !line.isBlank())
                        .toList();
        var tail =
                String.join("\n", lines.subList(Math.max(0, lines.size() - LINES), lines.size()));
        return lines.size() > LINES && lines.getFirst().contains("Kernel panic")
                ? lines.getFirst() + "\n" + tail
                : tail;
    }

    static String quote(String console) {
        return console.isEmpty()
                ? "; its console is empty"
                : "; its console ends with:\n" + console.indent(4).stripTrailing();
    }
}
