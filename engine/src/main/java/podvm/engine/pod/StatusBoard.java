package podvm.engine.pod;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import podvm.engine.Deadline;
import podvm.engine.PodException;

/** The newest status of one thing, to read and to wait for. */
final class StatusBoard<S> {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final String what;
    private final Listener<S> listener;
    private S status;

    /** Hears of each change, in their order; must not block. */
    @FunctionalInterface
    interface Listener<S> {
        void changed(S before, S after);
    }

    /**
     * @param what for messages: "pod web"
     */
    StatusBoard(String what, S status, Listener<S> listener) {
        this.what = what;
        this.listener = listener;
        this.status = status;
    }

    S status() {
        lock.lock();
        try {
            return status;
        } finally {
            lock.unlock();
        }
    }

    void publish(S next) {
        lock.lock();
        try {
            var before = status;
            status = next;
            listener.changed(before, next);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    S awaitChange(S seen, Deadline deadline) throws PodException, InterruptedException {
        lock.lockInterruptibly();
        try {
            while (status.equals(seen)) {
                deadline.check("a change of " + what);
                var _ = changed.await(deadline.left().toNanos(), TimeUnit.NANOSECONDS);
            }
            return status;
        } finally {
            lock.unlock();
        }
    }
}
