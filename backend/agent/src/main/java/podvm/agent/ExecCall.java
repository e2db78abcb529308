package podvm.agent;

import com.google.protobuf.UnsafeByteOperations;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Agent.ExecResult;
import podvm.engine.Agent.ExecSession;
import podvm.engine.Causes;
import podvm.engine.PodException;
import podvm.proto.agent.v1.ExecRequest;
import podvm.proto.agent.v1.ExecResponse;

/** A process in a container, with its streams. */
final class ExecCall implements ExecSession {
    /** A message costs the guest more than the bytes in it do. */
    static final int PIECE = 128 << 10;

    private final Conversation<ExecRequest, ExecResponse> call;
    private final Peer peer;
    private final String what;
    private final ExecOutput output;
    private final CompletableFuture<ExecResult> result = new CompletableFuture<>();
    private final ReentrantLock input = new ReentrantLock();
    private boolean inputClosed;

    private ExecCall(
            Conversation<ExecRequest, ExecResponse> call,
            Peer peer,
            String what,
            ExecOutput output) {
        this.call = call;
        this.peer = peer;
        this.what = what;
        this.output = output;
    }

    static ExecCall start(
            Conversation<ExecRequest, ExecResponse> call,
            Peer peer,
            String what,
            ExecRequest request,
            ExecOutput output)
            throws PodException {
        var exec = new ExecCall(call, peer, what, output);
        call.decides(exec.result);
        call.sendNow(request);
        Thread.ofVirtual().name("exec-output").start(exec::deliver);
        return exec;
    }

    @Override
    public void stdin(byte[] data) throws PodException, InterruptedException {
        input.lockInterruptibly();
        try {
            for (int at = 0; at < data.length; at += PIECE) {
                var end = Math.min(at + PIECE, data.length);
                var piece = UnsafeByteOperations.unsafeWrap(Arrays.copyOfRange(data, at, end));
                call.send(ExecRequest.newBuilder().setStdin(piece).build());
            }
        } finally {
            input.unlock();
        }
    }

    @Override
    public void closeStdin() throws PodException {
        input.lock();
        try {
            if (!inputClosed && !call.ended()) {
                inputClosed = true;
                call.sendNow(ExecRequest.newBuilder().setCloseStdin(true).build());
            }
        } finally {
            input.unlock();
        }
    }

    @Override
    public void resize(int columns, int rows) {
        var size = ExecRequest.newBuilder().setResize(Requests.size(columns, rows)).build();
        call.sendLatest("resize", size);
    }

    @Override
    public void signal(int signal) {
        call.sendLatest(signal, ExecRequest.newBuilder().setSignal(signal).build());
    }

    @Override
    public ExecResult await() throws PodException, InterruptedException {
        try {
            return result.get();
        } catch (ExecutionException e) {
            throw Causes.of(e);
        }
    }

    @Override
    public void close() {
        call.close();
    }

    private void deliver() {
        try (call) {
            result.complete(untilEnd());
        } catch (PodException | InterruptedException | RuntimeException | Error e) {
            result.completeExceptionally(e);
        }
    }

    private ExecResult untilEnd() throws PodException, InterruptedException {
        for (var message = call.receive(); message != null; message = call.receive()) {
            switch (message.getMessageCase()) {
                case STDOUT -> output.stdout(message.getStdout().toByteArray());
                case STDERR -> output.stderr(message.getStderr().toByteArray());
                case EXIT_CODE -> {
                    var code = GuestNumbers.exitCode(message.getExitCode());
                    return new ExecResult(code, Optional.empty());
                }
                case ERROR -> {
                    return Reports.execFailure(message.getError());
                }
                case MESSAGE_NOT_SET -> throw peer.corrupt(what, "an empty message");
            }
        }
        throw peer.corrupt(what, "no exit code");
    }
}
