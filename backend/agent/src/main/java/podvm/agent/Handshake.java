package podvm.agent;

import java.io.EOFException;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Set;
import podvm.engine.Deadline;

/**
 * Agrees with the agent on where the byte stream begins, as agent.proto tells: a line with a fresh
 * number is sent again and again, and what follows the answer to the newest one is the stream.
 */
final class Handshake {
    /**
     * Doubles with each line. Short at first, since an agent that still holds an earlier connection
     * needs two lines: one breaks it, one is answered. Long later, since lines wait in the port
     * while the guest boots, and it answers each of them.
     */
    private static final Duration FIRST_PERIOD = Duration.ofMillis(50);

    private static final Duration LONGEST_PERIOD = Duration.ofSeconds(1);

    /**
     * Once the agent has answered any of our lines it will answer the newest too. Sending still
     * newer ones would never end where a round trip takes longer than the period.
     */
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    private final SecureRandom random;
    private final SocketChannel socket;
    private final AnswerScanner scanner = new AnswerScanner();
    private final Set<String> sent = new HashSet<>();
    private String newest = "";
    private ByteBuffer line = ByteBuffer.allocate(0);
    private Duration period = FIRST_PERIOD;
    private long nextLine = System.nanoTime();

    /**
     * @param socket connected and not blocking
     */
    Handshake(SocketChannel socket, SecureRandom random) {
        this.socket = socket;
        this.random = random;
    }

    /** Returns the bytes that were read behind the answer: the begin of the agent's stream. */
    byte[] await(Deadline deadline) throws IOException, InterruptedException {
        var bytes = ByteBuffer.allocate(16 << 10);
        try (var selector = Selector.open()) {
            var key = socket.register(selector, SelectionKey.OP_READ);
            while (!deadline.passed()) {
                speak(key);
                selector.select(Math.max(1, Math.min(untilNextLine(), deadline.leftMillis())));
                selector.selectedKeys().clear();
                if (Thread.interrupted()) {
                    throw new InterruptedException();
                }
                if (socket.read(bytes.clear()) < 0) {
                    throw new EOFException("the machine closed the agent's channel");
                }
                if (answered(bytes.flip())) {
                    var rest = new byte[bytes.remaining()];
                    bytes.get(rest);
                    return rest;
                }
            }
        }
        throw new SocketTimeoutException("the agent did not answer on its channel");
    }

    private void speak(SelectionKey key) throws IOException {
        // the machine reads nothing before the guest has opened the port: then the line waits
        if (!line.hasRemaining() && System.nanoTime() - nextLine >= 0) {
            var number = new byte[16];
            random.nextBytes(number);
            newest = HexFormat.of().formatHex(number);
            sent.add(newest);
            line = StandardCharsets.US_ASCII.encode("PODVM1 " + newest + "\n");
            wait(period);
            period = period.multipliedBy(2);
            period = period.compareTo(LONGEST_PERIOD) > 0 ? LONGEST_PERIOD : period;
        }
        socket.write(line);
        key.interestOps(
                line.hasRemaining()
                        ? SelectionKey.OP_READ | SelectionKey.OP_WRITE
                        : SelectionKey.OP_READ);
    }

    private boolean answered(ByteBuffer bytes) {
        for (var answer = scanner.next(bytes); answer.isPresent(); answer = scanner.next(bytes)) {
            if (answer.get().equals(newest)) {
                return true;
            }
            if (sent.contains(answer.get())) {
                wait(PATIENCE);
            }
        }
        return false;
    }

    private void wait(Duration pause) {
        nextLine = System.nanoTime() + pause.toNanos();
    }

    private long untilNextLine() {
        return line.hasRemaining()
                ? LONGEST_PERIOD.toMillis()
                : Duration.ofNanos(nextLine - System.nanoTime()).toMillis();
    }
}
