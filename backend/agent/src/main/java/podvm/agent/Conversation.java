package podvm.agent;

import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ClientCall;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * A streaming call as blocking code. At most one received message is held; the next is asked for
 * when the receiver comes back, and a sender waits while the guest does not read.
 */
final class Conversation<Q, R> implements AutoCloseable {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();

    /** Messages of which only the newest counts, until they can be sent. */
    private final Map<Object, Q> latest = new LinkedHashMap<>();

    private final Peer peer;
    private final String what;
    private final Set<Conversation<?, ?>> live;
    private final ClientCall<Q, R> call;
    private boolean requested = true;
    private boolean halfClosed;
    private @Nullable R arrived;
    private @Nullable Status end;
    private @Nullable CompletableFuture<?> outcome;

    /**
     * @param live holds this conversation until it has ended
     */
    Conversation(
            Channel channel,
            MethodDescriptor<Q, R> method,
            Peer peer,
            String what,
            Set<Conversation<?, ?>> live) {
        this.peer = peer;
        this.what = what;
        this.live = live;
        call = channel.newCall(method, CallOptions.DEFAULT);
        call.start(new Listener(), new Metadata());
        call.request(1);
        live.add(this);
        if (ended()) {
            live.remove(this);
        }
    }

    /** Waits until the guest takes more. */
    void send(Q message) throws PodException, InterruptedException {
        lock.lockInterruptibly();
        try {
            while (end == null && !halfClosed && !call.isReady()) {
                changed.await();
            }
            checkOpen();
            call.sendMessage(message);
        } finally {
            lock.unlock();
        }
    }

    /** Never waits; a message not yet sent is replaced by a newer one of the same key. */
    void sendLatest(Object key, Q message) {
        lock.lock();
        try {
            if (end == null && !halfClosed) {
                latest.put(key, message);
                flushLatest();
            }
        } finally {
            lock.unlock();
        }
    }

    /** Never waits: for a single small message. */
    void sendNow(Q message) throws PodException {
        lock.lock();
        try {
            checkOpen();
            call.sendMessage(message);
        } finally {
            lock.unlock();
        }
    }

    /** Says that nothing more will be sent. */
    void halfClose() {
        lock.lock();
        try {
            if (end == null && !halfClosed) {
                halfClosed = true;
                call.halfClose();
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
    }

    /** The next message, or null when the agent has ended the call without error. */
    @Nullable R receive() throws PodException, InterruptedException {
        return receive(Long.MAX_VALUE);
    }

    /** The same, from a guest that is to go on: fails with DEADLINE where nothing comes. */
    @Nullable R receive(Duration patience) throws PodException, InterruptedException {
        return receive(patience.toNanos());
    }

    private @Nullable R receive(long patience) throws PodException, InterruptedException {
        lock.lockInterruptibly();
        try {
            if (arrived == null && !requested && end == null) {
                requested = true;
                call.request(1);
            }
            for (var left = patience; arrived == null && end == null; ) {
                left = changed.awaitNanos(left);
                if (left <= 0 && arrived == null && end == null) {
                    throw new PodException(
                            Kind.DEADLINE,
                            "the guest does not go on: "
                                    + what
                                    + ", nothing came for "
                                    + TimeUnit.NANOSECONDS.toSeconds(patience)
                                    + " s",
                            "does the container's file system answer?");
                }
            }
            if (arrived != null) {
                var message = arrived;
                arrived = null;
                return message;
            }
            if (end != null && !end.isOk()) {
                throw peer.failure(what, end);
            }
            return null;
        } finally {
            lock.unlock();
        }
    }

    /** Names what fails, too, when the call is abandoned, whatever its receiver waits for then. */
    void decides(CompletableFuture<?> outcome) {
        lock.lock();
        try {
            this.outcome = outcome;
        } finally {
            lock.unlock();
        }
    }

    /** The call has ended because the connection did, or because this side closed it. */
    boolean lost() {
        lock.lock();
        try {
            return end != null
                    && (end.getCode() == Status.Code.UNAVAILABLE
                            || end.getCode() == Status.Code.CANCELLED);
        } finally {
            lock.unlock();
        }
    }

    boolean ended() {
        lock.lock();
        try {
            return end != null;
        } finally {
            lock.unlock();
        }
    }

    /** Cancels the call unless it has ended. */
    @Override
    public void close() {
        abandon(Status.CANCELLED);
    }

    /** Ends the call at once, also where a received message still waits for a slow receiver. */
    void abandon(Status status) {
        if (end(status)) {
            call.cancel("abandoned by the daemon", null);
            var waiting = outcome;
            if (waiting != null) {
                waiting.completeExceptionally(peer.failure(what, status));
            }
        }
    }

    private boolean end(Status status) {
        lock.lock();
        try {
            if (end != null) {
                return false;
            }
            end = status;
            latest.clear();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        live.remove(this);
        return true;
    }

    private void checkOpen() throws PodException {
        if (end != null && !end.isOk()) {
            throw peer.failure(what, end);
        }
        if (end != null || halfClosed) {
            throw new PodException(Kind.CONFLICT, "cannot " + what + ": it has ended", "");
        }
    }

    private void flushLatest() {
        var messages = latest.values().iterator();
        while (messages.hasNext() && call.isReady()) {
            call.sendMessage(messages.next());
            messages.remove();
        }
    }

    /** Called by the event loop; does nothing that waits for anything but a moment's lock. */
    private final class Listener extends ClientCall.Listener<R> {
        @Override
        public void onMessage(R message) {
            lock.lock();
            try {
                arrived = message;
                requested = false;
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void onReady() {
            lock.lock();
            try {
                if (end == null && !halfClosed) {
                    flushLatest();
                }
                changed.signalAll();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void onClose(Status status, Metadata trailers) {
            end(status);
        }
    }
}
