package podvm.engine.fake;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Agent.ExecResult;
import podvm.engine.Agent.ExecSession;
import podvm.engine.Agent.OutputStreamKind;
import podvm.engine.Agent.ProcessPlan;

/** A process beside a fake container's own. */
final class FakeExec implements ExecSession {
    private final FakeProcess process;
    private final CompletableFuture<ExecResult> result = new CompletableFuture<>();
    private final Thread thread;

    FakeExec(FakePrograms programs, ProcessPlan plan, ExecOutput output) {
        process =
                new FakeProcess(
                        plan,
                        (stream, data) -> {
                            if (stream == OutputStreamKind.STDOUT) {
                                output.stdout(data);
                            } else {
                                output.stderr(data);
                            }
                        });
        var name = plan.args().getFirst();
        thread = Thread.ofVirtual().name("exec-" + name).start(() -> run(programs, name));
    }

    private void run(FakePrograms programs, String name) {
        try {
            var program = programs.find(name);
            result.complete(
                    program.isPresent()
                            ? new ExecResult(program.get().run(process), Optional.empty())
                            : new ExecResult(127, Optional.of(name + ": not found")));
        } catch (InterruptedException e) {
            result.complete(new ExecResult(137, Optional.empty()));
        }
    }

    @Override
    public void stdin(byte[] data) {
        process.input(data);
    }

    @Override
    public void closeStdin() {
        process.input(new byte[0]);
    }

    @Override
    public void resize(int columns, int rows) {}

    @Override
    public void signal(int signal) {
        process.signal(signal);
    }

    @Override
    public ExecResult await() throws InterruptedException {
        try {
            return result.get();
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        thread.interrupt();
    }
}
