package podvm.engine.pod;

import java.time.Duration;

/**
 * How long a pod waits for what normally comes at once.
 *
 * @param drain for the end of a container's output after its exit: a process that escaped may hold
 *     it open
 * @param kill for the end of containers after SIGKILL: a guest that cannot kill any more is ended
 *     with its machine
 * @param report for the guest's word that it has told of all its containers: an agent of an earlier
 *     version never says it
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
