package podvm.image;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import podvm.engine.Digest;
import podvm.engine.LayerCheck;
import podvm.engine.PodException;
import podvm.engine.Progress;

/** Reads the layers of images whole. */
record StoreVerify(ImageIndex index, LayerStore layers) {
    List<LayerCheck> verify(List<Digest> images, Progress progress)
            throws PodException, InterruptedException {
        try (var _ = index.begin()) {
            var found = new ArrayList<LayerCheck>();
            for (var entry : imagesByLayer(images).entrySet()) {
                found.add(check(entry.getKey(), entry.getValue(), progress));
            }
            return List.copyOf(found);
        }
    }

    private LayerCheck check(Digest diffId, List<String> images, Progress progress)
            throws PodException, InterruptedException {
        if (Thread.interrupted()) {
            throw new InterruptedException("checking " + diffId);
        }
        var record = layers.record(diffId);
        if (record.isEmpty()) {
            return new LayerCheck(diffId, images, 0, LayerCheck.State.MISSING, "it is not there");
        }
        long bytes = record.get().bytes();
        progress.at(LayerBlob.shown(diffId), 0, bytes);
        var damage = layers.check(record.get());
        progress.at(LayerBlob.shown(diffId), bytes, bytes);
        if (damage.isEmpty()) {
            return new LayerCheck(diffId, images, bytes, LayerCheck.State.WHOLE, "");
        }
        index.layerLost(diffId);
        return new LayerCheck(diffId, images, bytes, LayerCheck.State.DAMAGED, damage.get());
    }

    private Map<Digest, List<String>> imagesByLayer(List<Digest> images) {
        var byLayer = new LinkedHashMap<Digest, List<String>>();
        for (var id : images) {
            var names = index.names(id);
            var shown = names.isEmpty() ? id.toString() : names.getFirst();
            index.config(id).stream()
                    .flatMap(config -> index.stack(config).stream())
                    .forEach(diffId ->
                            byLayer.computeIfAbsent(diffId, _ -> new ArrayList<>()).add(shown));
        }
        return byLayer;
    }
}
