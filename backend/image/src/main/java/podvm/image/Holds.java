package podvm.image;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import podvm.engine.Digest;
import podvm.engine.PodId;

/** Which pods run from which images. Not safe for several threads: the index guards it. */
final class Holds {
    private final Map<PodId, Holder> holders = new HashMap<>();

    private record Holder(String name, Set<Digest> images) {}

    void add(PodId pod, String name, Digest image) {
        holders.computeIfAbsent(pod, _ -> new Holder(name, new HashSet<>())).images().add(image);
    }

    void remove(PodId pod) {
        holders.remove(pod);
    }

    /** Names of pods, sorted. */
    List<String> of(Digest image) {
        return holders.values().stream()
                .filter(holder -> holder.images().contains(image))
                .map(Holder::name)
                .sorted()
                .toList();
    }
}
