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
    private S status;

    /**
     * @param what for messages: "pod web"
     */
    StatusBoard(String what, S status) {
        this.what = what;
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
            status = next;
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
