package podvm.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** A command under way. Closing it kills what has not ended. */
final class Running implements AutoCloseable {
    private final List<String> command;
    private final Process process;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final List<Thread> readers = new ArrayList<>();

    Running(List<String> command, Process process) {
        this.command = command;
        this.process = process;
        readers.add(Thread.ofVirtual().start(() -> copy(process.getInputStream(), out)));
        readers.add(Thread.ofVirtual().start(() -> copy(process.getErrorStream(), err)));
    }

    private void copy(InputStream from, ByteArrayOutputStream to) {
        var block = new byte[64 * 1024];
        try (from) {
            for (int n = from.read(block); n >= 0; n = from.read(block)) {
                synchronized (this) {
                    to.write(block, 0, n);
                    notifyAll();
                }
            }
        } catch (IOException e) {
            // killed; what came until then is there
        }
        synchronized (this) {
            notifyAll();
        }
    }

    synchronized String out() {
        return out.toString(UTF_8);
    }

    synchronized String err() {
        return err.toString(UTF_8);
    }

    long pid() {
        return process.pid();
    }

    boolean alive() {
        return process.isAlive();
    }

    /** Waits until standard output contains a text; returns all output so far. */
    String awaitOutput(String text) throws InterruptedException {
        return awaitOutput(so -> so.contains(text), "\"" + text + "\" in the output");
    }

    synchronized String awaitOutput(Predicate<String> wanted, String what)
            throws InterruptedException {
        long end = System.nanoTime() + Wait.LONG.toNanos();
        while (!wanted.test(out())) {
            boolean over = !process.isAlive() && readers.stream().noneMatch(Thread::isAlive);
            if (over || System.nanoTime() > end) {
                throw new AssertionError("waited in vain for " + what + " of " + soFar());
            }
            wait(200);
        }
        return out();
    }

    void type(String text) throws IOException {
        var stdin = process.getOutputStream();
        stdin.write(text.getBytes(UTF_8));
        stdin.flush();
    }

    void endInput() throws IOException {
        process.getOutputStream().close();
    }

    void signal(String name) throws IOException, InterruptedException {
        Host.signal(process.pid(), name);
    }

    Outcome await() throws InterruptedException {
        return await(Wait.LONG);
    }

    Outcome await(Duration patience) throws InterruptedException {
        if (!process.waitFor(patience.toMillis(), TimeUnit.MILLISECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("not over after " + patience.toSeconds() + " s: " + soFar());
        }
        for (var reader : readers) {
            // a daemon that was started by the command may hold its pipes open: that is a bug
            if (!reader.join(Duration.ofSeconds(10))) {
                throw new AssertionError("has ended, but its output is held open: " + soFar());
            }
        }
        return new Outcome(command, process.exitValue(), out(), err());
    }

    Outcome soFar() {
        return new Outcome(command, process.isAlive() ? -1 : process.exitValue(), out(), err());
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
