package podvm.cri.streaming;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Agent.ExecResult;

/** A process in memory: a program in Java that reads and writes as one in a guest would. */
final class TestProcess implements Destination.Session {
    /** Its main function: returns the exit code. */
    interface Program {
        int run(TestProcess process) throws InterruptedException;
    }

    /** Few, so that a program that does not read holds the client back. */
    private final LinkedBlockingQueue<Optional<byte[]>> input = new LinkedBlockingQueue<>(4);

    final ExecOutput output;
    final List<String> sizes = new CopyOnWriteArrayList<>();
    final AtomicLong written = new AtomicLong();
    final CountDownLatch closed = new CountDownLatch(1);
    private final Program program;

    TestProcess(Program program, ExecOutput output) {
        this.program = program;
        this.output = output;
    }

    /** Empty at the end of the input. */
    Optional<byte[]> read() throws InterruptedException {
        return input.take();
    }

    void print(byte[] data) {
        output.stdout(data);
        written.addAndGet(data.length);
    }

    @Override
    public void stdin(byte[] data) throws InterruptedException {
        input.put(Optional.of(data));
    }

    @Override
    public void closeStdin() {
        try {
            input.put(Optional.empty());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void resize(int columns, int rows) {
        sizes.add(columns + "x" + rows);
    }

    @Override
    public ExecResult await() throws InterruptedException {
        return new ExecResult(program.run(this), Optional.empty());
    }

    @Override
    public void close() {
        closed.countDown();
    }
}
