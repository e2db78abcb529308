package podvm.network.cni;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.linux.HostProcess;
import podvm.linux.Signal;

/**
 * A program that is run to its end, by when its input and output are known.
 *
 * @param environment added to the daemon's own
 */
record Program(List<String> command, Map<String, String> environment, byte[] input) {
    /** What a pipe holds: giving so much to a program that does not read never blocks (pipe(7)). */
    static final int MOST_INPUT = 1 << 16;

    private static final int MOST_OUTPUT = 1 << 20;
    private static final int MOST_COMPLAINT = 1 << 13;
    private static final long LONGEST_PAUSE_MS = 5;

    record Output(int status, byte[] text, String complaint) {}

    /**
     * When it does not end in time, or says too much, it is killed with all that it has started.
     */
    Output run(Deadline deadline) throws PodException, InterruptedException {
        if (input.length > MOST_INPUT) {
            throw new PodException(
                    Kind.INVALID,
                    name() + " would be given " + input.length + " bytes, more than 64 KiB",
                    "shorten its configuration");
        }
        var process = start();
        try {
            give(process);
            return collect(process, deadline);
        } finally {
            end(process);
        }
    }

    private String name() {
        return command.getFirst();
    }

    private Process start() throws PodException {
        var builder = new ProcessBuilder(command);
        builder.environment().putAll(environment);
        try {
            return builder.start();
        } catch (IOException e) {
            throw new PodException(
                    Kind.NOT_FOUND, "cannot run " + name() + ": " + e.getMessage(), "", e);
        }
    }

    private void give(Process process) {
        try (var in = process.getOutputStream()) {
            in.write(input);
        } catch (IOException _) {
            // a program need not read what it is given
        }
    }

    /**
     * By looking now and then, not by reading to the end: a program that is left behind by this one
     * may hold its output open for ever.
     */
    private Output collect(Process process, Deadline deadline)
            throws PodException, InterruptedException {
        var text = new ByteArrayOutputStream();
        var complaint = new ByteArrayOutputStream();
        for (var pause = 1L; ; pause = Math.min(pause + 1, LONGEST_PAUSE_MS)) {
            var ended = !process.isAlive();
            try {
                drain(process.getInputStream(), text);
                drain(process.getErrorStream(), complaint);
            } catch (IOException e) {
                throw new PodException(
                        Kind.UNAVAILABLE,
                        "cannot read what " + name() + " says: " + e.getMessage(),
                        "",
                        e);
            }
            if (text.size() > MOST_OUTPUT) {
                throw new PodException(
                        Kind.UNAVAILABLE, name() + " wrote more than 1 MiB and was killed", "");
            }
            if (ended) {
                return new Output(process.exitValue(), text.toByteArray(), tail(complaint));
            }
            if (deadline.passed()) {
                throw new PodException(
                        Kind.DEADLINE, name() + " did not end in time and was killed", "");
            }
            var _ = process.waitFor(pause, TimeUnit.MILLISECONDS);
        }
    }

    /** Keeps a little more than the limit at most, and goes on reading where the end counts. */
    private static void drain(InputStream from, ByteArrayOutputStream into) throws IOException {
        for (var ready = from.available(); ready > 0; ready = from.available()) {
            var bytes = from.readNBytes(Math.min(ready, MOST_OUTPUT));
            if (into.size() > MOST_OUTPUT) {
                into.reset();
            }
            into.write(bytes);
            if (into.size() > MOST_OUTPUT) {
                return;
            }
        }
    }

    private static String tail(ByteArrayOutputStream complaint) {
        var bytes = complaint.toByteArray();
        var from = Math.max(0, bytes.length - MOST_COMPLAINT);
        return new String(bytes, from, bytes.length - from, StandardCharsets.UTF_8).strip();
    }

    /** The descriptor of the process makes sure that no other one with its number is meant. */
    private static void end(Process process) throws PodException {
        if (process.isAlive()) {
            var descendants = process.descendants().toList();
            try (var handle = HostProcess.open(process.pid())) {
                if (process.isAlive()) {
                    handle.signal(Signal.KILL);
                }
            } catch (PodException e) {
                if (e.kind() != Kind.NOT_FOUND) {
                    throw e;
                }
            }
            descendants.forEach(ProcessHandle::destroyForcibly);
        }
    }
}
