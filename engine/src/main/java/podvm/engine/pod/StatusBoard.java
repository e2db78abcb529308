package podvm.engine.pod;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodStatus;

/** The newest status of one pod, to read and to wait for. */
final class StatusBoard {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private PodStatus status;

    StatusBoard(PodStatus status) {
        this.status = status;
    }

    PodStatus status() {
        lock.lock();
        try {
            return status;
        } finally {
            lock.unlock();
        }
    }

    void publish(PodStatus next) {
        lock.lock();
        try {
            status = next;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    PodStatus awaitChange(PodStatus seen, Deadline deadline)
            throws PodException, InterruptedException {
        lock.lockInterruptibly();
        try {
            while (status.equals(seen)) {
                deadline.check("a change of pod " + seen.spec().name());
                var _ = changed.await(deadline.left().toNanos(), TimeUnit.NANOSECONDS);
            }
            return status;
        } finally {
            lock.unlock();
        }
    }
}
