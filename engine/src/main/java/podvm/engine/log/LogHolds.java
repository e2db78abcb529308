package podvm.engine.log;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Keeps a log from rotating away under readers that must miss nothing: the writer waits, and with
 * it the container, as a program waits whose terminal is slow.
 */
final class LogHolds {
    /** A reader that takes no line for so long is no longer waited for. */
    private static final long PATIENCE_SECONDS = 30;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition moved = lock.newCondition();
    private final List<LogTrail> trails = new ArrayList<>();

    void add(LogTrail trail) {
        lock.lock();
        try {
            trails.add(trail);
        } finally {
            lock.unlock();
        }
    }

    void remove(LogTrail trail) {
        lock.lock();
        try {
            trails.remove(trail);
            moved.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** A reader has begun its next file. */
    void moved() {
        lock.lock();
        try {
            moved.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Returns when no reader has this file before it. One that has it open is not waited for: it
     * reads on in a deleted file.
     */
    void awaitReaders(Path file) {
        lock.lock();
        try {
            for (var behind = behind(file); !behind.isEmpty(); behind = behind(file)) {
                var before = behind.stream().map(LogTrail::lines).toList();
                if (!moved.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    for (int i = 0; i < before.size(); i++) {
                        if (behind.get(i).lines() == before.get(i)) {
                            trails.remove(behind.get(i));
                        }
                    }
                }
            }
        } catch (InterruptedException e) {
            // the pod is given up: its readers are not waited for either
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    private List<LogTrail> behind(Path file) {
        return trails.stream().filter(trail -> trail.isBefore(file)).toList();
    }
}
