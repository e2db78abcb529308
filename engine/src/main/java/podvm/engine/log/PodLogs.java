package podvm.engine.log;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import podvm.engine.PodException;
import podvm.engine.Pods.Follow;
import podvm.engine.Pods.LogLine;
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
        var trails = new ArrayList<LogTrail>();
        try {
            for (var name : containers) {
                trails.add(new LogTrail(name, directory.resolve(name), holds::moved));
            }
            if (query.follow() == Follow.HOLD) {
                trails.forEach(holds::add);
            }
            long seen = writes();
            present(trails, query, reader);
            while (query.follow() != Follow.NO) {
                for (var trail : trails) {
                    follow(trail, query, reader);
                }
                var next = awaitWrite(seen);
                if (next.isEmpty()) {
                    return;
                }
                seen = next.get();
            }
        } catch (IOException e) {
            if (e instanceof FileSystemException) {
                throw new PodException(
                        PodException.Kind.CORRUPT,
                        "cannot read the log in " + directory + ": " + e.getMessage(),
                        "",
                        e);
            }
            // the reader went away
        } finally {
            trails.forEach(holds::remove);
            closeAll(trails);
        }
    }

    private static void follow(LogTrail trail, LogQuery query, LogReader reader)
            throws IOException {
        for (var line = trail.next(); line.isPresent(); line = trail.next()) {
            if (trail.lost()) {
                reader.lost(line.get().container());
            }
            if (wanted(query, line.get())) {
                reader.line(line.get());
            }
        }
    }

    private void present(List<LogTrail> trails, LogQuery query, LogReader reader)
            throws IOException {
        record Head(LogLine line, LogTrail trail) {}
        var heads = new PriorityQueue<Head>(Comparator.comparing(head -> head.line.time()));
        for (var trail : trails) {
            trail.next().ifPresent(line -> heads.add(new Head(line, trail)));
        }
        var tail = new ArrayDeque<LogLine>();
        while (!heads.isEmpty()) {
            var head = heads.remove();
            head.trail.next().ifPresent(line -> heads.add(new Head(line, head.trail)));
            if (head.trail.lost() && query.tail().isEmpty()) {
                reader.lost(head.line.container());
            }
            if (!wanted(query, head.line)) {
                continue;
            }
            if (query.tail().isEmpty()) {
                reader.line(head.line);
            } else if (query.tail().get() > 0) {
                tail.add(head.line);
                if (tail.size() > query.tail().get()) {
                    tail.remove();
                }
            }
        }
        for (var line : tail) {
            reader.line(line);
        }
    }

    private static boolean wanted(LogQuery query, LogLine line) {
        return query.since().isEmpty() || !line.time().isBefore(query.since().get());
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

    private static void closeAll(List<LogTrail> trails) throws PodException {
        for (var trail : trails) {
            try {
                trail.close();
            } catch (IOException e) {
                throw new PodException(
                        PodException.Kind.CORRUPT, "cannot close a log: " + e.getMessage(), "", e);
            }
        }
    }
}
