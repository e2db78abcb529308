package podvm.image;

import podvm.engine.Image;
import podvm.image.layer.LayerLimits;
import podvm.image.registry.RegistryOptions;

/**
 * How a store works.
 *
 * @param parallelLayers fetched and written at a time, by all pulls together
 * @param platform whose images are chosen
 */
public record ImageOptions(
        int parallelLayers,
        LayerLimits layerLimits,
        Image.Platform platform,
        RegistryOptions registries) {
    public static final ImageOptions DEFAULT =
            new ImageOptions(3, LayerLimits.DEFAULT, hostPlatform());

    /** Reaches registries as they are, without mirrors, credentials or proxies. */
    public ImageOptions(int parallelLayers, LayerLimits layerLimits, Image.Platform platform) {
        this(parallelLayers, layerLimits, platform, RegistryOptions.NONE);
    }

    /** Under the name that images use for this machine's architecture. */
    public static Image.Platform hostPlatform() {
        var architecture = System.getProperty("os.arch");
        return new Image.Platform(
                "linux",
                switch (architecture) {
                    case "x86_64" -> "amd64";
                    case "aarch64" -> "arm64";
                    default -> architecture;
                });
    }
}
