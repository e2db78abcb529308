package podvm.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import podvm.proto.node.v1.LogLine;

/** Prints log lines of several containers, whole ones only, each behind its container's name. */
final class LinePrinter {
    private static final String[] COLOURS = {"36", "33", "32", "35", "34", "96", "93", "92"};

    /** A line without end is cut here rather than kept. */
    private static final int LONGEST_LINE = 1 << 20;

    private final Stdio stdio;
    private final boolean timestamps;
    private final Map<String, String> prefixes = new HashMap<>();
    private final Map<String, ByteArrayOutputStream> begun = new HashMap<>();
    private int width;

    LinePrinter(Stdio stdio, boolean timestamps) {
        this.stdio = stdio;
        this.timestamps = timestamps;
    }

    /** From now on this source's lines have its name before them. */
    synchronized void prefix(String source) {
        width = Math.max(width, source.length());
        prefixes.putIfAbsent(source, COLOURS[prefixes.size() % COLOURS.length]);
    }

    synchronized void print(String source, LogLine line) throws IOException {
        var key = source + " " + line.getStream();
        var buffer = begun.computeIfAbsent(key, _ -> new ByteArrayOutputStream());
        line.getText().writeTo(buffer);
        if (line.getPartial() && buffer.size() < LONGEST_LINE) {
            return;
        }
        begun.remove(key);
        var out = line.getStream() == 2 ? stdio.err() : stdio.out();
        write(out, head(source, line), buffer);
    }

    private static void write(OutputStream out, String head, ByteArrayOutputStream line)
            throws IOException {
        synchronized (out) {
            out.write(head.getBytes(UTF_8));
            line.write('\n');
            line.writeTo(out);
        }
    }

    private String head(String source, LogLine line) {
        var head = "";
        var colour = prefixes.get(source);
        if (colour != null) {
            var name = source + " ".repeat(width - source.length()) + " | ";
            head = stdio.colours() ? "\033[" + colour + "m" + name + "\033[0m" : name;
        }
        return timestamps ? head + time(line.getTimeUnixNs()) + " " : head;
    }

    private static String time(long nanos) {
        return Instant.ofEpochSecond(0, nanos).toString();
    }

    /** What was begun and will not be ended. */
    synchronized void finish() throws IOException {
        for (var entry : begun.entrySet()) {
            var source = entry.getKey().substring(0, entry.getKey().length() - 2);
            var line = LogLine.getDefaultInstance();
            if (entry.getValue().size() > 0) {
                write(stdio.out(), head(source, line), entry.getValue());
            }
        }
        begun.clear();
        stdio.flush();
    }
}
