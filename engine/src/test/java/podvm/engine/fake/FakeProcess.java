package podvm.engine.fake;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import podvm.engine.Agent.OutputStreamKind;
import podvm.engine.Agent.ProcessPlan;

/** A running process as its {@link Program} sees it. */
public final class FakeProcess {
    private final ProcessPlan plan;
    private final Output output;
    private final BlockingQueue<Integer> signals = new LinkedBlockingQueue<>();
    private final BlockingQueue<byte[]> input = new LinkedBlockingQueue<>();

    interface Output {
        void write(OutputStreamKind stream, byte[] data);
    }

    FakeProcess(ProcessPlan plan, Output output) {
        this.plan = plan;
        this.output = output;
    }

    public ProcessPlan plan() {
        return plan;
    }

    List<String> argsAfterName() {
        return plan.args().subList(1, plan.args().size());
    }

    /** Returns 0, so that a program may end with it. */
    public int println(String line) {
        return print(line + "\n");
    }

    public int print(String text) {
        output.write(OutputStreamKind.STDOUT, text.getBytes(UTF_8));
        return 0;
    }

    public int printError(String text) {
        output.write(OutputStreamKind.STDERR, text.getBytes(UTF_8));
        return 0;
    }

    /** What arrived on standard input; empty at its end. */
    public String read() throws InterruptedException {
        return new String(input.take(), UTF_8);
    }

    /** Returns 0 after any signal. */
    public int untilSignalled() throws InterruptedException {
        var _ = nextSignal();
        return 0;
    }

    public int nextSignal() throws InterruptedException {
        return signals.take();
    }

    /** Ignores all signals that can be ignored. */
    public int untilKilled() throws InterruptedException {
        new CountDownLatch(1).await();
        return 0;
    }

    void signal(int number) {
        signals.add(number);
    }

    void input(byte[] data) {
        input.add(data.clone());
    }
}
