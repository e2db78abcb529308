package podvm.node;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import podvm.engine.Progress;
import podvm.proto.node.v1.TransferProgress;

/** Progress as events of a stream: rare enough for eyes, never in the way of the work. */
final class ProgressEvents<T> implements Progress {
    private static final long PAUSE_NANOS = 100_000_000;

    private final Outlet<T> out;
    private final Function<TransferProgress, T> event;
    private final Map<String, Long> told = new ConcurrentHashMap<>();

    ProgressEvents(Outlet<T> out, Function<TransferProgress, T> event) {
        this.out = out;
        this.event = event;
    }

    @Override
    public void at(String step, long done, long total) {
        var now = System.nanoTime();
        var before = told.get(step);
        if (before != null && now - before < PAUSE_NANOS && done != total) {
            return;
        }
        told.put(step, now);
        out.offer(() ->
                event.apply(
                        TransferProgress.newBuilder()
                                .setStep(step)
                                .setDone(done)
                                .setTotal(total)
                                .build()));
    }
}
