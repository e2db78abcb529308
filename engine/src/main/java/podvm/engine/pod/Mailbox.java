package podvm.engine.pod;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A pod's own thread, and all that others may do to it: tell it something, cut short what can be
 * cut short, and make it let go of the pod.
 */
final class Mailbox {
    private final LinkedBlockingQueue<PodMessage> messages = new LinkedBlockingQueue<>();
    private final Thread thread;
    private final Object gate = new Object();
    private boolean interruptible;
    private volatile boolean detaching;

    Mailbox(String name, Runnable life) {
        this.thread = Thread.ofVirtual().name(name).unstarted(life);
    }

    void start() {
        thread.start();
    }

    void tell(PodMessage message) {
        messages.add(message);
    }

    /** Interrupts what allows it, too. */
    void tellNow(PodMessage message) {
        messages.add(message);
        synchronized (gate) {
            if (interruptible) {
                thread.interrupt();
            }
        }
    }

    /** Ends the thread; returns when it has let go. */
    void detach() throws InterruptedException {
        detaching = true;
        messages.add(new PodMessage.Wake());
        thread.interrupt();
        thread.join();
    }

    boolean detaching() {
        return detaching;
    }

    // ---- for the thread itself ----

    void checkDetaching() throws InterruptedException {
        if (detaching) {
            throw new InterruptedException("the daemon lets go of the pod");
        }
    }

    @Nullable PodMessage next() {
        return messages.poll();
    }

    @Nullable PodMessage next(Duration patience) throws InterruptedException {
        return messages.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
    }

    List<PodMessage> waiting() {
        return List.copyOf(messages);
    }

    /** From here on {@link #tellNow} interrupts; fails where a stop is waiting already. */
    void allowInterrupt() throws InterruptedException {
        synchronized (gate) {
            if (messages.stream().anyMatch(PodMessage.StopAsked.class::isInstance)) {
                throw new InterruptedException("stopped before it began");
            }
            interruptible = true;
        }
    }

    /**
     * Whether there was an interrupt; it is forgotten, since the messages say what it was about.
     */
    boolean forbidInterrupt() {
        synchronized (gate) {
            interruptible = false;
            return Thread.interrupted();
        }
    }
}
