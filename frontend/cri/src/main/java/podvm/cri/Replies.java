package podvm.cri;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import java.io.IOException;

/** Answers to one call: sending waits while the caller does not read. */
final class Replies<A> {
    private final ServerCallStreamObserver<A> observer;

    Replies(ServerCallStreamObserver<A> observer) {
        this.observer = observer;
        observer.setOnReadyHandler(this::wake);
    }

    private synchronized void wake() {
        notifyAll();
    }

    /** Fails when the caller has gone. */
    synchronized void send(A message) throws IOException, InterruptedException {
        while (!observer.isReady() && !observer.isCancelled()) {
            wait();
        }
        if (observer.isCancelled()) {
            throw new IOException("the caller has gone");
        }
        observer.onNext(message);
    }

    synchronized void complete() {
        if (!observer.isCancelled()) {
            observer.onCompleted();
        }
    }

    synchronized void fail(Status status) {
        if (!observer.isCancelled()) {
            observer.onError(status.asRuntimeException());
        }
    }
}
