package podvm.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;

/** What the command is given by whoever started it. */
record Stdio(
        InputStream in,
        OutputStream out,
        OutputStream err,
        boolean inIsTerminal,
        boolean outIsTerminal,
        boolean errIsTerminal,
        Map<String, String> env) {
    static Stdio ofProcess() {
        return new Stdio(
                new FileInputStream(FileDescriptor.in),
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16),
                new FileOutputStream(FileDescriptor.err),
                isTerminal(0),
                isTerminal(1),
                isTerminal(2),
                System.getenv());
    }

    /** The kernel tells in /proc what System.console() needs a native library for. */
    private static boolean isTerminal(int descriptor) {
        try {
            var target = Files.readSymbolicLink(Path.of("/proc/self/fd/" + descriptor)).toString();
            return target.startsWith("/dev/pts/")
                    || target.startsWith("/dev/tty")
                    || target.equals("/dev/console");
        } catch (IOException _) {
            return false;
        }
    }

    /** Colours are for people who have not said no: https://no-color.org. */
    boolean colours() {
        return outIsTerminal
                && env.getOrDefault("NO_COLOR", "").isEmpty()
                && !env.getOrDefault("TERM", "").equals("dumb");
    }

    void print(String line) throws IOException {
        synchronized (out) {
            out.write((line + "\n").getBytes(UTF_8));
        }
    }

    void flush() throws IOException {
        synchronized (out) {
            out.flush();
        }
    }

    /** A message for people; where nobody can read it, nothing is lost. */
    void tell(String line) {
        try {
            synchronized (err) {
                err.write((line + "\n").getBytes(UTF_8));
                err.flush();
            }
        } catch (IOException _) {
            // standard error is closed
        }
    }
}
