package podvm.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Optional;
import podvm.engine.Digest;
import podvm.engine.PodException;
import podvm.image.content.Sha256;
import podvm.image.export.HiddenAttributes;

/**
 * Makes the layer that goes on top of an image's own where a layer has directories that it says
 * nothing about, and that lower layers describe: overlayfs would show them as if made anew. It is a
 * layer like others, named by the digest of its tar, so that images share it.
 */
record TopLayer(LayerStore layers) {
    /** Of an image whose layers are there; empty where nothing is hidden. */
    Optional<Digest> of(ConfigFile config) throws PodException, InterruptedException {
        var stack = new ArrayList<HiddenAttributes.Layer>();
        for (var diffId : config.stack().reversed()) {
            var implied = layers.record(diffId).map(LayerRecord::implied);
            if (implied.isEmpty()) {
                // the index says so when it looks for the layer
                return Optional.empty();
            }
            stack.add(new HiddenAttributes.Layer(layers.file(diffId), implied.get()));
        }
        try {
            var tar = HiddenAttributes.tar(stack);
            return tar.isPresent() ? Optional.of(kept(tar.get())) : Optional.empty();
        } catch (IOException e) {
            throw StoreFailure.of(
                    e, "read the directories of image " + config.id(), layers.directory());
        }
    }

    private Digest kept(byte[] tar) throws PodException, InterruptedException {
        var diffId = Sha256.of(tar);
        if (layers.find(diffId).isEmpty()) {
            layers.put(diffId, new ByteArrayInputStream(tar));
        }
        return diffId;
    }
}
