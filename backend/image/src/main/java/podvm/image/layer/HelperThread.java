package podvm.image.layer;

/**
 * A thread that keeps a CPU or a disk busy for its owner, who waits for its end whatever interrupts
 * him meanwhile: what it works with is his.
 */
final class HelperThread {
    private final Thread thread;

    private HelperThread(Thread thread) {
        this.thread = thread;
    }

    static HelperThread start(String name, Runnable work) {
        return new HelperThread(Thread.ofPlatform().daemon().name(name).start(work));
    }

    void interrupt() {
        thread.interrupt();
    }

    void join() throws InterruptedException {
        thread.join();
    }

    /** An interrupt that came in between is kept for the caller's next wait. */
    void awaitEnd() {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
