package podvm.image;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import podvm.engine.Deadline;
import podvm.engine.PodException;

/**
 * Lets one at a time work on a thing. Who had to wait works next, and finds it done or, where the
 * first one failed or gave up, does it himself.
 */
final class SingleFlight<K> {
    private final ConcurrentHashMap<K, CountDownLatch> flights = new ConcurrentHashMap<>();

    interface Work<V> {
        V run() throws PodException, InterruptedException;
    }

    <V> V run(K thing, Deadline deadline, Work<V> work) throws PodException, InterruptedException {
        var mine = new CountDownLatch(1);
        while (true) {
            var other = flights.putIfAbsent(thing, mine);
            if (other == null) {
                try {
                    return work.run();
                } finally {
                    flights.remove(thing);
                    mine.countDown();
                }
            }
            if (!other.await(deadline.leftMillis(), TimeUnit.MILLISECONDS)) {
                deadline.check("waiting for another fetch of " + thing);
            }
        }
    }
}
