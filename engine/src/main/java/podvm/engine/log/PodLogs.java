package podvm.engine.log;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import podvm.engine.PodException;
import podvm.engine.Pods.Follow;
import podvm.engine.Pods.LogQuery;
import podvm.engine.Pods.LogReader;

/** The logs of a pod's containers: who reads is woken when something was written. */
public final class PodLogs {
    private final Path directory;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final LogHolds holds = new LogHolds();
    private long writes;
    private boolean complete;

    /**
     * @param directory holds a directory per container
     */
    public PodLogs(Path directory) {
        this.directory = directory;
    }

    public LogWriter writer(String container, int attempt, LogWriter.Limits limits)
            throws PodException {
        return LogWriter.inDirectory(
                directory.resolve(container), attempt, limits, holds, () -> signal(false));
    }

    /** Nothing more will be written: followers end. */
    public void complete() {
        signal(true);
    }

    private void signal(boolean last) {
        lock.lock();
        try {
            writes++;
            complete |= last;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Hands over what is there, merged by time, and with follow what comes, until the pod has ended
     * or the reader fails.
     */
    public void read(List<String> containers, LogQuery query, LogReader reader)
            throws PodException, InterruptedException {
        LogMerge.read(
                query,
                reader,
                logs -> {
                    for (var name : containers) {
                        var files = LogSuccession.ofParts(directory.resolve(name));
                        logs.add(new LogTrail(name, files, holds::moved));
                    }
                    if (query.follow() == Follow.HOLD) {
                        logs.trails().forEach(holds::add);
                    }
                    try {
                        follow(logs, query.follow() != Follow.NO);
                    } finally {
                        logs.trails().forEach(holds::remove);
                    }
                });
    }

    private void follow(LogMerge logs, boolean follow) throws IOException, InterruptedException {
        long seen = writes();
        logs.present();
        while (follow) {
            logs.more();
            var next = awaitWrite(seen);
            if (next.isEmpty()) {
                return;
            }
            seen = next.get();
        }
    }

    private long writes() {
        lock.lock();
        try {
            // a log that is complete already must be read once more after this
            return complete ? writes - 1 : writes;
        } finally {
            lock.unlock();
        }
    }

    /** Empty when all was seen and nothing more will come. */
    private Optional<Long> awaitWrite(long seen) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (writes == seen && !complete) {
                changed.await();
            }
            return writes == seen ? Optional.empty() : Optional.of(writes);
        } finally {
            lock.unlock();
        }
    }
}
