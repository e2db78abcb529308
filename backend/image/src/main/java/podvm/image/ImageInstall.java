package podvm.image;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.PodException;
import podvm.image.layer.Inflated;

/** Brings the parts of an image into the store: missing layers side by side, then the names. */
final class ImageInstall {
    private final ImageIndex index;
    private final LayerStore layers;
    private final Semaphore permits;
    private final SingleFlight<Digest> flights = new SingleFlight<>();

    ImageInstall(ImageIndex index, LayerStore layers, int parallelLayers) {
        this.index = index;
        this.layers = layers;
        this.permits = new Semaphore(parallelLayers);
    }

    Image install(ImageParts parts, List<String> names, Deadline deadline)
            throws PodException, InterruptedException {
        try (var _ = index.begin()) {
            try {
                fetch(parts, deadline);
                return index.put(parts.config(), names, new TopLayer(layers).of(parts.config()));
            } catch (PodException e) {
                if (e.kind() == PodException.Kind.EXHAUSTED) {
                    // else finished layers stay, for the next try
                    index.collect();
                }
                throw e;
            }
        }
    }

    private void fetch(ImageParts parts, Deadline deadline)
            throws PodException, InterruptedException {
        Map<Digest, LayerBlob> missing = new LinkedHashMap<>();
        for (var layer : parts.layers()) {
            if (layers.find(layer.diffId()).isEmpty()) {
                missing.put(layer.diffId(), layer);
            }
        }
        try (var forks = new Forks("layers of image " + parts.config().id())) {
            for (var layer : missing.values()) {
                forks.fork(() -> {
                    flights.run(layer.diffId(), deadline, () -> add(layer, deadline));
                    return null;
                });
            }
            forks.join(deadline);
        }
    }

    private Optional<Void> add(LayerBlob layer, Deadline deadline)
            throws PodException, InterruptedException {
        var what = LayerBlob.shown(layer.diffId());
        if (layers.find(layer.diffId()).isPresent()) {
            return Optional.empty();
        }
        if (!permits.tryAcquire(deadline.leftMillis(), TimeUnit.MILLISECONDS)) {
            throw new PodException(
                    PodException.Kind.DEADLINE,
                    "timed out waiting to fetch " + what,
                    "allow more time, or more layers at a time");
        }
        try (var tar = new Inflated(layer.source().open(), what, deadline)) {
            layers.put(layer.diffId(), tar);
            return Optional.empty();
        } catch (IOException e) {
            throw StoreFailure.of(e, "read " + what, layers.directory());
        } finally {
            permits.release();
        }
    }
}
