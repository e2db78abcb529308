package podvm.engine.pod;

import java.time.Duration;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import podvm.engine.Deadline;
import podvm.engine.Forks;
import podvm.engine.PodException;
import podvm.engine.PodStats;

/** Measures several pods beside each other: one that does not answer must not hide the others. */
final class MeterRound {
    /** Callers come every few seconds: a guest that is slower than this is left out. */
    private static final Duration PATIENCE = Duration.ofSeconds(5);

    private MeterRound() {}

    @FunctionalInterface
    interface One<K> {
        /** Empty where there is nothing to measure. */
        Optional<PodStats> measure(K pod, Deadline deadline)
                throws PodException, InterruptedException;
    }

    static <K> Map<K, PodStats> measure(Collection<K> pods, One<K> one)
            throws InterruptedException {
        var deadline = Deadline.after(PATIENCE);
        var answers = new ConcurrentHashMap<K, PodStats>();
        try (var forks = new Forks("stats")) {
            for (var pod : pods) {
                var _ =
                        forks.fork(() -> {
                            answer(one, pod, deadline).ifPresent(stats -> answers.put(pod, stats));
                            return true;
                        });
            }
            forks.join(deadline);
        } catch (PodException e) {
            // too late for those that have not answered
        }
        var inOrder = new LinkedHashMap<K, PodStats>();
        for (var pod : pods) {
            var stats = answers.get(pod);
            if (stats != null) {
                inOrder.put(pod, stats);
            }
        }
        return inOrder;
    }

    private static <K> Optional<PodStats> answer(One<K> one, K pod, Deadline deadline)
            throws InterruptedException {
        try {
            return one.measure(pod, deadline);
        } catch (PodException e) {
            // it ends, or its connection is made anew: the next round has it, or it is gone
            return Optional.empty();
        }
    }
}
