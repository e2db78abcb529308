package podvm.cri.streaming;

import java.util.ArrayDeque;
import java.util.Optional;

/** What came from a client on one stream and was not read yet. */
final class Inflow {
    private final Intake intake;
    private final ArrayDeque<byte[]> chunks = new ArrayDeque<>();
    private boolean ended;
    private boolean unwanted;

    Inflow(Intake intake) {
        this.intake = intake;
    }

    synchronized void add(byte[] data) {
        if (ended || unwanted || data.length == 0) {
            return;
        }
        chunks.add(data);
        intake.came(data.length);
        notifyAll();
    }

    synchronized void end() {
        ended = true;
        notifyAll();
    }

    /** Empty at the end. */
    synchronized Optional<byte[]> take() throws InterruptedException {
        while (chunks.isEmpty() && !ended) {
            wait();
        }
        var data = chunks.poll();
        if (data == null) {
            return Optional.empty();
        }
        intake.taken(data.length);
        return Optional.of(data);
    }

    /** Nobody reads any more: what is here and what still comes is dropped. */
    synchronized void discard() {
        unwanted = true;
        for (var data = chunks.poll(); data != null; data = chunks.poll()) {
            intake.taken(data.length);
        }
    }
}
