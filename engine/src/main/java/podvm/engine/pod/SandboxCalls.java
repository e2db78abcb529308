package podvm.engine.pod;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import podvm.engine.Causes;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** Has a sandbox's own thread do what others ask for, and hands them what came of it. */
final class SandboxCalls {
    private final String sandbox;
    private final Mailbox mailbox;
    private final List<PodMessage.Asked> later = new ArrayList<>();
    private volatile boolean closed;

    @FunctionalInterface
    interface Body<T> {
        T run() throws PodException, InterruptedException;
    }

    /**
     * @param sandbox for messages: "pod sandbox default/web"
     */
    SandboxCalls(String sandbox, Mailbox mailbox) {
        this.sandbox = sandbox;
        this.mailbox = mailbox;
    }

    /** A stop of the sandbox cuts it short. */
    <T> T ask(Body<T> body) throws PodException, InterruptedException {
        return ask(
                () -> {
                    mailbox.allowInterrupt();
                    try {
                        return body.run();
                    } catch (PodException e) {
                        if (mailbox.forbidInterrupt()) {
                            // what an interrupt does to a file is told as a failure of the file
                            throw stopping(e);
                        }
                        throw e;
                    } finally {
                        var _ = mailbox.forbidInterrupt();
                    }
                },
                new CompletableFuture<>());
    }

    /** Not cut short by anything but the end of the daemon. */
    <T> T insist(Body<T> body) throws PodException, InterruptedException {
        return ask(body, new CompletableFuture<>());
    }

    private <T> T ask(Body<T> body, CompletableFuture<T> answer)
            throws PodException, InterruptedException {
        mailbox.tell(
                new PodMessage.Asked(
                        () -> answer(body, answer), () -> answer.completeExceptionally(leaving())));
        if (closed) {
            cancelAll();
        }
        try {
            return answer.get();
        } catch (ExecutionException e) {
            throw Causes.of(e);
        }
    }

    private <T> void answer(Body<T> body, CompletableFuture<T> answer) throws InterruptedException {
        try {
            answer.complete(body.run());
        } catch (InterruptedException e) {
            answer.completeExceptionally(mailbox.detaching() ? leaving() : stopping(e));
            mailbox.checkDetaching();
        } catch (PodException | RuntimeException e) {
            answer.completeExceptionally(e);
        } catch (Error bug) {
            answer.completeExceptionally(bug);
            throw bug;
        }
    }

    /** Keeps it until {@link #askLater}: it would only be in the way now. */
    void later(PodMessage.Asked asked) {
        later.add(asked);
    }

    void askLater() {
        later.forEach(mailbox::tell);
        later.clear();
    }

    /** The thread has ended: what is asked for now is not done any more. */
    void close() {
        closed = true;
        later.forEach(asked -> asked.cancel().run());
        cancelAll();
    }

    private void cancelAll() {
        for (var next = mailbox.next(); next != null; next = mailbox.next()) {
            if (next instanceof PodMessage.Asked asked) {
                asked.cancel().run();
            }
        }
    }

    private PodException stopping(Exception cause) {
        return new PodException(Kind.CONFLICT, sandbox + " is being stopped", "", cause);
    }

    private PodException leaving() {
        return new PodException(
                Kind.UNAVAILABLE, "the daemon lets go of " + sandbox, "try again when it is back");
    }
}
