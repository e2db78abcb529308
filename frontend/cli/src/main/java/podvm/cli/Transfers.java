package podvm.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import podvm.proto.node.v1.TransferProgress;

/**
 * How work on several parts gets on, on standard error: on a terminal a bar for each part, redrawn
 * in place; else a line for each part that is there, or nothing. Closing it leaves the last bars.
 */
final class Transfers implements AutoCloseable {
    private static final int BAR = 30;

    /** More parts than lines of a terminal cannot be redrawn; old ones are summed up. */
    private static final int MOST_BARS = 12;

    private static final long PAUSE_NANOS = 80_000_000;

    private final Stdio stdio;
    private final String doing;
    private final boolean lines;
    private final long started = System.nanoTime();
    private final Map<String, TransferProgress> parts = new LinkedHashMap<>();
    private int drawn;
    private long drawnAt;

    private Transfers(Stdio stdio, String doing, boolean lines) {
        this.stdio = stdio;
        this.doing = doing;
        this.lines = lines;
    }

    /** With a line for each part where nobody sees bars. */
    static Transfers told(Stdio stdio, String doing) {
        return new Transfers(stdio, doing, true);
    }

    /** With nothing where nobody sees bars. */
    static Transfers quiet(Stdio stdio, String doing) {
        return new Transfers(stdio, doing, false);
    }

    void at(TransferProgress progress) {
        var before = parts.put(progress.getStep(), progress);
        if (stdio.errIsTerminal()) {
            if (isDone(progress) || System.nanoTime() - drawnAt > PAUSE_NANOS) {
                draw();
            }
        } else if (lines && isDone(progress) && (before == null || !isDone(before))) {
            stdio.tell(progress.getStep() + ": " + Amounts.bytes(progress.getDone()));
        }
    }

    /** Of nobody knows how much. */
    void at(String step, long done) {
        at(TransferProgress.newBuilder().setStep(step).setDone(done).setTotal(-1).build());
    }

    /** Bytes of all parts. */
    long bytes() {
        return parts.values().stream().mapToLong(TransferProgress::getDone).sum();
    }

    /** "52.1 MB in 3.1 s, 17 MB/s". */
    String summary() {
        var seconds = (System.nanoTime() - started) / 1e9;
        var rate = Amounts.bytes(Math.round(bytes() / Math.max(seconds, 0.001)));
        return "%s in %.1f s, %s/s".formatted(Amounts.bytes(bytes()), seconds, rate);
    }

    private static boolean isDone(TransferProgress progress) {
        return progress.getTotal() >= 0 && progress.getDone() >= progress.getTotal();
    }

    /** Of nothing yet, and of nobody knows how much, there is nothing to draw. */
    private static boolean isBegun(TransferProgress progress) {
        return progress.getDone() > 0 || progress.getTotal() >= 0;
    }

    private void draw() {
        drawnAt = System.nanoTime();
        var text = new StringBuilder(drawn > 0 ? "\033[%dA".formatted(drawn) : "");
        var shown = 0;
        var begun = parts.values().stream().filter(Transfers::isBegun).toList();
        var skipped = Math.max(0, begun.size() - MOST_BARS);
        if (skipped > 0) {
            line(text, "%s: %d parts before these".formatted(doing, skipped));
            shown++;
        }
        for (var part : begun.subList(skipped, begun.size())) {
            line(text, bar(part));
            shown++;
        }
        drawn = shown;
        write(text.toString());
    }

    private static void line(StringBuilder text, String line) {
        text.append('\r').append(line).append("\033[K\n");
    }

    private static String bar(TransferProgress part) {
        var total = part.getTotal();
        if (total < 0) {
            return "%-20s %s".formatted(part.getStep(), Amounts.bytes(part.getDone()));
        }
        var share = total == 0 ? 1.0 : Math.min(1.0, (double) part.getDone() / total);
        var full = (int) Math.round(share * BAR);
        return "%-20s [%s%s] %s of %s"
                .formatted(
                        part.getStep(),
                        "=".repeat(full),
                        " ".repeat(BAR - full),
                        Amounts.bytes(part.getDone()),
                        Amounts.bytes(total));
    }

    @Override
    public void close() {
        if (stdio.errIsTerminal() && !parts.isEmpty()) {
            draw();
        }
    }

    private void write(String text) {
        try {
            stdio.err().write(text.getBytes(StandardCharsets.UTF_8));
            stdio.err().flush();
        } catch (IOException _) {
            // nobody looks
        }
    }
}
