package podvm.machine;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * Copies what a guest writes to its console from the VMM's socket to a file that never exceeds 1
 * MiB, dropping the oldest half. The socket, not a file, is the VMM's end: a guest that floods its
 * console fills no disk even while no daemon runs, for then the VMM drops the bytes.
 */
public final class Console implements AutoCloseable {
    private static final int KEPT_BYTES = 1 << 20;
    private static final int BYTES_PER_SECOND = 1 << 20;
    private static final String PANIC = "Kernel panic - ";
    private static final int TAIL_LINES = 20;

    private final SocketChannel socket;
    private final Path log;
    private final Thread copier;

    private Console(SocketChannel socket, Path log) {
        this.socket = socket;
        this.log = log;
        this.copier = Thread.ofVirtual().name("console " + log).unstarted(this::copy);
    }

    public static Console follow(PodDirectory directory) throws PodException {
        try {
            var socket = SocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                socket.connect(UnixDomainSocketAddress.of(directory.consoleSocket()));
            } catch (IOException e) {
                socket.close();
                throw e;
            }
            var console = new Console(socket, directory.consoleLog());
            console.copier.start();
            return console;
        } catch (IOException e) {
            throw new PodException(
                    Kind.MACHINE,
                    "cannot open the console of pod " + directory.pod() + ": " + e.getMessage(),
                    "",
                    e);
        }
    }

    /** Waits until the VMM has closed its end and all it wrote is in the file. */
    public void awaitEnd(Duration most) throws InterruptedException {
        copier.join(most);
    }

    public String tail() {
        var panic = panic();
        var tail = LogTail.of(log, TAIL_LINES);
        // its call trace may fill more lines than are kept
        return panic.isEmpty() || tail.contains(panic.get()) ? tail : panic.get() + "\n" + tail;
    }

    /** What a Linux guest wrote when it gave up; its call trace may follow. */
    public Optional<String> panic() {
        return LogTail.of(log, Integer.MAX_VALUE)
                .lines()
                .filter(line -> line.contains(PANIC))
                .findFirst();
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException _) {
            // nothing is buffered in a socket that we only read
        }
    }

    private void copy() {
        var buffer = ByteBuffer.allocate(16 * 1024);
        try (var file =
                FileChannel.open(
                        log,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.READ,
                        StandardOpenOption.WRITE)) {
            file.position(file.size());
            var second = System.nanoTime();
            var copied = 0;
            while (socket.read(buffer) >= 0) {
                copied += buffer.position();
                append(file, buffer.flip());
                buffer.clear();
                var elapsed = Duration.ofNanos(System.nanoTime() - second);
                if (elapsed.toSeconds() > 0) {
                    second = System.nanoTime();
                    copied = 0;
                } else if (copied > BYTES_PER_SECOND) {
                    // a flooding guest waits, not the daemon's other work
                    Thread.sleep(Duration.ofSeconds(1).minus(elapsed));
                }
            }
        } catch (IOException | InterruptedException _) {
            // the console ends here: with the VMM, by close(), or because its file cannot grow;
            // a machine does not fail for want of its log
        }
    }

    private static void append(FileChannel file, ByteBuffer bytes) throws IOException {
        if (file.size() + bytes.remaining() > KEPT_BYTES) {
            var newest = ByteBuffer.allocate(KEPT_BYTES / 2);
            file.read(newest, file.size() - newest.capacity());
            file.truncate(0);
            file.write(newest.flip());
        }
        while (bytes.hasRemaining()) {
            file.write(bytes);
        }
    }
}
