package podvm.daemon;

import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import podvm.engine.PodException;

/** podvmd, the node daemon. */
public final class Main {
    private static final int WRONG_USE = 2;
    private static final int FAILED = 125;

    private Main() {}

    /**
     * Libraries log what is part of normal life, such as data that follows a cancelled call. Held,
     * since loggers are weak.
     */
    private static final List<Logger> LIBRARIES =
            List.of(Logger.getLogger("io.grpc"), Logger.getLogger("io.netty"));

    public static void main(String[] args) throws InterruptedException {
        LIBRARIES.forEach(logger -> logger.setLevel(Level.WARNING));
        System.exit(run(args));
    }

    private static int run(String[] args) throws InterruptedException {
        try {
            var arguments = Arguments.parse(args);
            if (arguments.help()) {
                System.out.print(Arguments.USAGE);
                return 0;
            }
            var directories = Directories.here();
            serve(Config.read(arguments.config(), arguments.overrides(), directories));
            return 0;
        } catch (PodException e) {
            System.err.println(
                    "podvmd: "
                            + e.getMessage()
                            + (e.remedy().isEmpty() ? "" : "\n  " + e.remedy()));
            return e.kind() == PodException.Kind.INVALID ? WRONG_USE : FAILED;
        }
    }

    private static void serve(Config config) throws PodException, InterruptedException {
        var main = Thread.currentThread();
        var closed = new CountDownLatch(1);
        var events = new EventLog(System.err);
        try (var daemon = Daemon.start(config, events)) {
            // SIGTERM and SIGINT end the wait, and the JVM waits for the orderly end
            Runtime.getRuntime()
                    .addShutdownHook(
                            new Thread(() -> {
                                main.interrupt();
                                awaitQuietly(closed);
                            }));
            System.err.println(
                    "podvmd "
                            + Version.TEXT
                            + " serves "
                            + config.run().resolve("node.sock")
                            + config.cri().map(cri -> " and CRI at " + cri.socket()).orElse(""));
            daemon.awaitIdle();
        } catch (InterruptedException e) {
            // told to end: the pods are left to the next daemon
        } finally {
            closed.countDown();
        }
    }

    private static void awaitQuietly(CountDownLatch closed) {
        try {
            var _ = closed.await(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
