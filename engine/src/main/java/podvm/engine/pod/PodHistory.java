package podvm.engine.pod;

import java.io.IOException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import podvm.engine.PodChange;
import podvm.engine.PodChange.Kind;
import podvm.engine.PodChanges;
import podvm.engine.PodId;
import podvm.engine.PodStatus;

/**
 * Keeps the newest changes of all pods; a reader that is slower than them is told what it missed.
 */
public final class PodHistory implements PodChanges {
    private static final int KEPT = 10_000;

    private final int kept;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition more = lock.newCondition();
    private final ArrayDeque<PodChange> newest = new ArrayDeque<>();

    /** Of all that there ever were, how many are not kept any more. */
    private long forgotten;

    public PodHistory() {
        this(KEPT);
    }

    PodHistory(int kept) {
        this.kept = kept;
    }

    /**
     * @param before empty: nobody knew of the pod
     */
    void changed(Optional<PodStatus> before, PodStatus after) {
        add(StatusChanges.between(before, after));
    }

    /** What is known of a pod when a daemon begins; one that has not ended is taken up. */
    void found(PodStatus pod) {
        changed(Optional.empty(), pod);
        if (!pod.phase().ended()) {
            add(List.of(now(pod, Kind.ADOPTED)));
        }
    }

    void removed(PodStatus pod) {
        add(List.of(now(pod, Kind.REMOVED)));
    }

    private static PodChange now(PodStatus pod, Kind kind) {
        return new PodChange(Instant.now(), pod, Optional.empty(), kind, 0, "", "");
    }

    private void add(List<PodChange> changes) {
        lock.lock();
        try {
            for (var change : changes) {
                newest.add(change);
                if (newest.size() > kept) {
                    newest.remove();
                    forgotten++;
                }
            }
            more.signalAll();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void read(boolean follow, Optional<Instant> since, Reader reader)
            throws InterruptedException {
        try {
            var first = take(0, false);
            hand(byTime(first.changes()), since, reader);
            long next = first.next();
            while (follow) {
                var taken = take(next, true);
                if (taken.lost() > 0) {
                    reader.lost(taken.lost());
                }
                hand(taken.changes(), since, reader);
                next = taken.next();
            }
        } catch (IOException e) {
            // the reader went away
        }
    }

    /** Those of one pod stay in their order, whatever the clocks of node and guest say. */
    private static List<PodChange> byTime(List<PodChange> changes) {
        record Timed(Instant at, PodChange change) {}
        var latest = new HashMap<PodId, Instant>();
        var timed = new ArrayList<Timed>();
        for (var change : changes) {
            var at =
                    latest.merge(
                            change.pod().id(),
                            change.at(),
                            (before, now) -> before.isAfter(now) ? before : now);
            timed.add(new Timed(at, change));
        }
        timed.sort(Comparator.comparing(Timed::at));
        return timed.stream().map(Timed::change).toList();
    }

    private static void hand(List<PodChange> changes, Optional<Instant> since, Reader reader)
            throws IOException {
        for (var change : changes) {
            if (since.isEmpty() || !change.at().isBefore(since.get())) {
                reader.change(change);
            }
        }
    }

    /**
     * @param lost were asked for and are forgotten
     * @param next the number of the first that is not among these
     */
    private record Taken(List<PodChange> changes, long lost, long next) {}

    private Taken take(long from, boolean wait) throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (wait && forgotten + newest.size() <= from) {
                more.await();
            }
            var changes = newest.stream().skip(Math.max(0, from - forgotten)).toList();
            return new Taken(changes, Math.max(0, forgotten - from), forgotten + newest.size());
        } finally {
            lock.unlock();
        }
    }
}
