package podvm.engine.log;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import podvm.engine.PodException;
import podvm.engine.Pods.LogLine;
import podvm.engine.Pods.LogQuery;
import podvm.engine.Pods.LogReader;

/** Several logs, read as one. */
final class LogMerge implements AutoCloseable {
    private final LogQuery query;
    private final LogReader reader;
    private final List<LogTrail> trails = new ArrayList<>();

    /** What is done with logs; an IOException of the reader ends it quietly. */
    @FunctionalInterface
    interface Body {
        void read(LogMerge logs) throws IOException, PodException, InterruptedException;
    }

    private LogMerge(LogQuery query, LogReader reader) {
        this.query = query;
        this.reader = reader;
    }

    static void read(LogQuery query, LogReader reader, Body body)
            throws PodException, InterruptedException {
        try (var logs = new LogMerge(query, reader)) {
            body.read(logs);
        } catch (IOException e) {
            if (e instanceof FileSystemException) {
                throw new PodException(
                        PodException.Kind.CORRUPT, "cannot read a log: " + e.getMessage(), "", e);
            }
            // the reader went away
        }
    }

    void add(LogTrail trail) {
        trails.add(trail);
    }

    List<LogTrail> trails() {
        return trails;
    }

    /** Hands over what is there, by time. */
    void present() throws IOException {
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
            if (!wanted(head.line)) {
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

    /** Hands over what was written since. */
    void more() throws IOException {
        for (var trail : trails) {
            for (var line = trail.next(); line.isPresent(); line = trail.next()) {
                if (trail.lost()) {
                    reader.lost(line.get().container());
                }
                if (wanted(line.get())) {
                    reader.line(line.get());
                }
            }
        }
    }

    private boolean wanted(LogLine line) {
        return query.since().isEmpty() || !line.time().isBefore(query.since().get());
    }

    @Override
    public void close() throws IOException {
        for (var trail : trails) {
            trail.close();
        }
    }
}
