package podvm.node;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import podvm.engine.Agent;

/**
 * A few commands: true; exit CODE; echo TEXT...; warn TEXT... (to stderr); lines COUNT; bytes
 * COUNT; sleep (until stopped); cat (stdin to stdout); size (prints the terminal's after each
 * resize).
 */
final class FakeProgram {
    private final List<String> args;
    private final Agent.ExecOutput output;
    private final CompletableFuture<Integer> stopped = new CompletableFuture<>();
    private final LinkedBlockingQueue<byte[]> stdin = new LinkedBlockingQueue<>(4);
    private static final byte[] END = {};

    FakeProgram(List<String> args, Agent.ExecOutput output) {
        this.args = args;
        this.output = output;
    }

    int run() {
        var code = execute();
        stopped.complete(code);
        return stopped.join();
    }

    private int execute() {
        var text = String.join(" ", args.subList(1, args.size()));
        switch (args.getFirst()) {
            case "true" -> {}
            case "echo" -> output.stdout((text + "\n").getBytes(UTF_8));
            case "warn" -> output.stderr((text + "\n").getBytes(UTF_8));
            case "exit" -> {
                return Integer.parseInt(text);
            }
            case "lines" -> {
                for (var i = 1; i <= Integer.parseInt(text); i++) {
                    output.stdout(("line " + i + "\n").getBytes(UTF_8));
                }
            }
            case "bytes" -> {
                for (var i = 0; i < Integer.parseInt(text); i += 10_000) {
                    output.stdout(new byte[10_000]);
                }
            }
            case "sleep", "size" -> {
                return stopped.join();
            }
            case "cat" -> {
                return cat();
            }
            default -> {
                return 127;
            }
        }
        return 0;
    }

    private int cat() {
        try {
            for (var data = stdin.take(); data != END; data = stdin.take()) {
                output.stdout(data);
            }
            return 0;
        } catch (InterruptedException _) {
            return stopped.getNow(1);
        }
    }

    void stdin(byte[] data) throws InterruptedException {
        stdin.put(data);
    }

    void closeStdin() {
        stdin.add(END);
    }

    void resize(int columns, int rows) {
        if (args.getFirst().equals("size")) {
            output.stdout((columns + "x" + rows + "\n").getBytes(UTF_8));
        }
    }

    void stop(int code) {
        if (stopped.complete(code)) {
            stdin.offer(END);
        }
    }

    int await() throws InterruptedException {
        try {
            return stopped.get();
        } catch (java.util.concurrent.ExecutionException e) {
            throw new AssertionError(e);
        }
    }
}
