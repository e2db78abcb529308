package podvm.cli;

import java.io.IOException;
import podvm.proto.node.v1.LogLine;
import podvm.proto.node.v1.LogsRequest;

/** Copies a pod's log to the printer. */
final class LogStream {
    private LogStream() {}

    /**
     * @param source names the line's origin, such as "web" or "pod/web"
     */
    static void copy(
            Node node, LogsRequest request, Stdio stdio, LinePrinter printer, Source source)
            throws Failure, IOException {
        try (var lines = node.stream("Logs", request, LogLine.parser())) {
            for (var line = lines.next(); line.isPresent(); line = lines.next()) {
                var name = source.of(line.get());
                if (line.get().getLost()) {
                    stdio.tell(
                            "podvm: lines of "
                                    + name
                                    + " are missing here: they were written faster than read, and"
                                    + " the log has rotated");
                    continue;
                }
                printer.print(name, line.get());
                if (request.getFollow()) {
                    stdio.flush();
                }
            }
        }
    }

    @FunctionalInterface
    interface Source {
        String of(LogLine line);
    }
}
