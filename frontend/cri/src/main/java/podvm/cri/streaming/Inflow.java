package podvm.cri.streaming;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Optional;

/** What came from a client on one stream and was not read yet. */
final class Inflow {
    /** Handed over at once, if it is there: each piece is a message on its way to the guest. */
    private static final int MOST_AT_ONCE = 128 << 10;

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
        if (chunks.isEmpty()) {
            return Optional.empty();
        }
        var data = together();
        intake.taken(data.length);
        return Optional.of(data);
    }

    private byte[] together() {
        var first = chunks.removeFirst();
        int size = first.length;
        int count = 0;
        for (var next : chunks) {
            if (size + next.length > MOST_AT_ONCE) {
                break;
            }
            size += next.length;
            count++;
        }
        if (count == 0) {
            return first;
        }
        var all = Arrays.copyOf(first, size);
        int at = first.length;
        for (; count > 0; count--) {
            var next = chunks.removeFirst();
            System.arraycopy(next, 0, all, at, next.length);
            at += next.length;
        }
        return all;
    }

    /** Nobody reads any more: what is here and what still comes is dropped. */
    synchronized void discard() {
        unwanted = true;
        for (var data = chunks.poll(); data != null; data = chunks.poll()) {
            intake.taken(data.length);
        }
    }
}
