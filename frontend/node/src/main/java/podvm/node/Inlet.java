package podvm.node;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.Optional;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Messages of one client, asked for one by one: a client that sends faster than they are taken is
 * held back.
 */
final class Inlet<T> implements StreamObserver<T> {
    private final ServerCallStreamObserver<?> call;
    private final LinkedBlockingQueue<Optional<T>> queue = new LinkedBlockingQueue<>();
    private boolean ended;

    Inlet(ServerCallStreamObserver<?> call) {
        this.call = call;
        call.disableAutoRequest();
    }

    /** Empty once the client has sent its last. To be called from one thread at a time. */
    Optional<T> take() throws InterruptedException {
        if (ended) {
            return Optional.empty();
        }
        call.request(1);
        var message = queue.take();
        ended = message.isEmpty();
        return message;
    }

    @Override
    public void onNext(T message) {
        queue.add(Optional.of(message));
    }

    @Override
    public void onError(Throwable gone) {
        queue.add(Optional.empty());
    }

    @Override
    public void onCompleted() {
        queue.add(Optional.empty());
    }
}
