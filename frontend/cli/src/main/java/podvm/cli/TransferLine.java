package podvm.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import podvm.proto.node.v1.TransferProgress;

/**
 * How downloads get on, on standard error: one line that is redrawn on a terminal, else a line for
 * each part that is there.
 */
final class TransferLine {
    private final Stdio stdio;
    private final Map<String, TransferProgress> parts = new LinkedHashMap<>();
    private boolean drawn;

    TransferLine(Stdio stdio) {
        this.stdio = stdio;
    }

    synchronized void at(TransferProgress progress) {
        var before = parts.put(progress.getStep(), progress);
        if (stdio.errIsTerminal()) {
            draw();
        } else if (isDone(progress) && (before == null || !isDone(before))) {
            stdio.tell(progress.getStep() + ": " + Amounts.bytes(progress.getDone()));
        }
    }

    private static boolean isDone(TransferProgress progress) {
        return progress.getTotal() >= 0 && progress.getDone() >= progress.getTotal();
    }

    private void draw() {
        var ready = parts.values().stream().filter(TransferLine::isDone).count();
        var done = parts.values().stream().mapToLong(TransferProgress::getDone).sum();
        var total =
                parts.values().stream().mapToLong(p -> Math.max(p.getTotal(), p.getDone())).sum();
        var line =
                "pulling: %d of %d parts, %s of %s"
                        .formatted(ready, parts.size(), Amounts.bytes(done), Amounts.bytes(total));
        write("\r" + line + "\033[K");
        drawn = true;
    }

    /** Makes room for other output. */
    synchronized void clear() {
        if (drawn) {
            write("\r\033[K");
            drawn = false;
        }
    }

    private void write(String text) {
        try {
            stdio.err().write(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
            stdio.err().flush();
        } catch (java.io.IOException _) {
            // nobody looks
        }
    }
}
