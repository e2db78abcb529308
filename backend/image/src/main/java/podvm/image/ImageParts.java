package podvm.image;

import java.util.ArrayList;
import java.util.List;
import podvm.engine.PodException;

/**
 * An image that can be had: its configuration, and where its layers come from.
 *
 * @param layers lowest first
 */
record ImageParts(ConfigFile config, List<LayerBlob> layers) {
    /**
     * @param sources in the order of the configuration's layers
     * @param origin for messages
     */
    static ImageParts of(ConfigFile config, List<LayerBlob.Source> sources, String origin)
            throws PodException {
        if (config.diffIds().size() != sources.size()) {
            throw new PodException(
                    PodException.Kind.CORRUPT,
                    "%s has %d layers, its configuration %s names %d"
                            .formatted(
                                    origin, sources.size(), config.id(), config.diffIds().size()),
                    "check that it is a container image");
        }
        var layers = new ArrayList<LayerBlob>();
        for (int at = 0; at < sources.size(); at++) {
            layers.add(new LayerBlob(config.diffIds().get(at), sources.get(at)));
        }
        return new ImageParts(config, List.copyOf(layers));
    }
}
