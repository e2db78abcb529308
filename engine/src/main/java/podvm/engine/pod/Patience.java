package podvm.engine.pod;

import java.time.Duration;

/**
 * How long a pod waits for what normally comes at once.
 *
 * @param drain for the end of a container's output after its exit: a process that escaped may hold
 *     it open
 * @param kill for the end of containers after SIGKILL: a guest that cannot kill any more is ended
 *     with its machine
 * @param report for the guest's word on a container of which it is not known whether it was started
 * @param retry before a write that failed for want of space is tried again
 */
record Patience(Duration drain, Duration kill, Duration report, Duration retry) {
    static final Patience USUAL =
            new Patience(
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(5),
                    Duration.ofSeconds(2));
}
