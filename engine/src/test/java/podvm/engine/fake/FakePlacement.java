package podvm.engine.fake;

import java.util.List;
import java.util.Optional;
import podvm.engine.MachinePlacement;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** A node with eight CPUs and one memory node. */
public final class FakePlacement implements MachinePlacement {
    private static final List<Integer> CPUS = List.of(0, 1, 2, 3, 4, 5, 6, 7);

    private Place place = Place.ANYWHERE;

    public synchronized Place place() {
        return place;
    }

    @Override
    public void check(Place asked) throws PodException {
        var missing = asked.cpus().without(CPUS);
        if (!missing.isEmpty() || !asked.memoryNodes().without(List.of(0)).isEmpty()) {
            throw new PodException(Kind.INVALID, "this node has no CPU " + missing, "");
        }
    }

    @Override
    public synchronized Optional<String> put(Place now) throws PodException {
        check(now);
        place = now;
        return Optional.empty();
    }
}
