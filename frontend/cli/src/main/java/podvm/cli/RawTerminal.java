package podvm.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import podvm.proto.node.v1.TerminalSize;

/**
 * The user's terminal, handing every key on unread. It is put back when closed and when the command
 * ends in any other way that a process can notice.
 */
final class RawTerminal implements AutoCloseable {
    private final String saved;
    private final Thread atExit = new Thread(this::restore);
    private final AtomicBoolean restored = new AtomicBoolean();

    private RawTerminal(String saved) {
        this.saved = saved;
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    static RawTerminal enter() throws Failure {
        var terminal = new RawTerminal(stty("-g").strip());
        stty("raw", "-echo");
        return terminal;
    }

    static TerminalSize size() throws Failure {
        var words = stty("size").strip().split(" ");
        if (words.length != 2 || !String.join("", words).matches("[0-9]{2,10}")) {
            throw Failure.of("the terminal does not tell its size", "");
        }
        return TerminalSize.newBuilder()
                .setRows(Integer.parseInt(words[0]))
                .setColumns(Integer.parseInt(words[1]))
                .build();
    }

    private static String stty(String... arguments) throws Failure {
        var command = new ArrayList<>(List.of("stty"));
        command.addAll(List.of(arguments));
        try {
            var process =
                    new ProcessBuilder(command)
                            .redirectInput(Path.of("/dev/tty").toFile())
                            .redirectErrorStream(true)
                            .start();
            var output = new String(process.getInputStream().readAllBytes(), US_ASCII);
            if (process.waitFor() != 0) {
                throw Failure.of("cannot set the terminal: " + output.strip(), "leave out -t");
            }
            return output;
        } catch (IOException e) {
            throw Failure.of("cannot set the terminal: " + e.getMessage(), "leave out -t");
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
            throw Failure.of("interrupted while setting the terminal", "");
        }
    }

    private void restore() {
        if (restored.compareAndSet(false, true)) {
            try {
                stty(saved);
            } catch (Failure _) {
                // the terminal has gone
            }
        }
    }

    @Override
    public void close() {
        restore();
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException _) {
            // the process ends already
        }
    }
}
