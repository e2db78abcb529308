package podvm.node;

import io.grpc.stub.ServerCallStreamObserver;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.function.Supplier;

/** Answers of one call: sending blocks while the client does not read. */
final class Outlet<T> {
    private final ServerCallStreamObserver<T> observer;
    private boolean ended;

    Outlet(ServerCallStreamObserver<T> observer) {
        this.observer = observer;
        observer.setOnReadyHandler(this::wake);
    }

    private synchronized void wake() {
        notifyAll();
    }

    /** Fails when the client has gone. */
    synchronized void send(T message) throws IOException {
        while (!observer.isReady()) {
            checkOpen();
            try {
                wait();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw (IOException)
                        new InterruptedIOException("the call was given up").initCause(e);
            }
        }
        checkOpen();
        observer.onNext(message);
    }

    /** Sends what may as well be left out when the client is slow. */
    synchronized void offer(Supplier<T> message) {
        if (!ended && !observer.isCancelled() && observer.isReady()) {
            observer.onNext(message.get());
        }
    }

    synchronized void complete() {
        if (!ended && !observer.isCancelled()) {
            observer.onCompleted();
        }
        ended = true;
    }

    synchronized void fail(RuntimeException failure) {
        if (!ended && !observer.isCancelled()) {
            observer.onError(failure);
        }
        ended = true;
    }

    private void checkOpen() throws IOException {
        if (ended || observer.isCancelled()) {
            throw new IOException("the client has gone");
        }
    }
}
