package podvm.machine.qemu;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.linux.Descriptor;
import podvm.linux.UnixSocket;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * Hands an open descriptor to a running QEMU over its second monitor, for the time of one command.
 * QEMU keeps it while it uses it.
 */
record DescriptorPassing(Path socket) {
    private static final int LONGEST_LINE = 1 << 16;

    /**
     * @param name by which the set of descriptors is found again
     * @return number of the set, as in {@code /dev/fdset/N}
     */
    long pass(Descriptor descriptor, String name, Deadline deadline)
            throws PodException, InterruptedException {
        try (var monitor = UnixSocket.connect(socket)) {
            var lines = new Lines(monitor, deadline);
            // all at once: QEMU takes them in order, and one turn of its loop is enough
            monitor.send(command("qmp_capabilities", Map.of()));
            monitor.send(command("add-fd", Map.of("opaque", name)), descriptor);
            lines.next("QMP");
            lines.next("return");
            return lines.next("return").path("return").path("fdset-id").asLong(-1);
        }
    }

    /** Begins to write the machine's state into the file. */
    void migrate(Descriptor file, Deadline deadline) throws PodException, InterruptedException {
        try (var monitor = UnixSocket.connect(socket)) {
            var lines = new Lines(monitor, deadline);
            // outgoing, QEMU 7.2 takes no number, only a name that this same monitor has given
            monitor.send(command("qmp_capabilities", Map.of()));
            monitor.send(command("getfd", Map.of("fdname", "state")), file);
            monitor.send(command("migrate", Map.of("uri", "fd:state")));
            lines.next("QMP");
            lines.next("return");
            lines.next("return");
            lines.next("return");
        }
    }

    private static byte[] command(String name, Map<String, String> arguments) {
        return (Json.text(Map.of("execute", name, "arguments", arguments)) + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    /** Messages one by one; events between them are told on the other monitor too. */
    private final class Lines {
        private final UnixSocket monitor;
        private final Deadline deadline;
        private final byte[] buffer = new byte[4096];
        private int at;
        private int end;

        Lines(UnixSocket monitor, Deadline deadline) {
            this.monitor = monitor;
            this.deadline = deadline;
        }

        JsonNode next(String key) throws PodException, InterruptedException {
            try {
                while (true) {
                    var message = Json.MAPPER.readTree(line());
                    if (message.has(key)) {
                        return message;
                    }
                    if (!message.has("event")) {
                        throw failed("QEMU answers " + message.path("error").path("desc"));
                    }
                }
            } catch (JacksonException e) {
                throw failed("QEMU answers nonsense");
            }
        }

        private byte[] line() throws PodException, InterruptedException {
            var line = new ByteArrayOutputStream();
            while (line.size() < LONGEST_LINE) {
                if (at == end) {
                    at = 0;
                    end = monitor.receive(buffer, deadline);
                    if (end == 0) {
                        throw failed("QEMU has closed it");
                    }
                }
                var next = buffer[at++];
                if (next == '\n') {
                    return line.toByteArray();
                }
                line.write(next);
            }
            throw failed("QEMU sends a line without end");
        }

        private PodException failed(String why) {
            return new PodException(
                    Kind.MACHINE, "cannot pass a file over " + socket + ": " + why, "");
        }
    }
}
