package podvm.image;

import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import podvm.engine.Image;
import podvm.engine.PodException;

/** Chooses the image of an index that runs here. */
final class PlatformChoice {
    /** Variants that every machine of an architecture runs, the best first. */
    private static final List<String> ARM = List.of("v7", "v6", "v5", "");

    private final Image.Platform wanted;

    PlatformChoice(Image.Platform wanted) {
        this.wanted = wanted;
    }

    Descriptor choose(List<Descriptor> manifests, String what) throws PodException {
        return manifests.stream()
                .filter(MediaTypes::isManifest)
                .filter(this::runsHere)
                .min(Comparator.comparingInt(this::rank))
                .orElseThrow(() ->
                        new PodException(
                                PodException.Kind.UNSUPPORTED,
                                "%s is for %s, this node is %s"
                                        .formatted(what, platforms(manifests), shown(wanted)),
                                "use an image built for " + shown(wanted)));
    }

    /** Those that run here or do not tell; all when none does, so that an error can name them. */
    List<Descriptor> usable(List<Descriptor> manifests) {
        var usable = manifests.stream().filter(this::runsHere).toList();
        return usable.isEmpty() ? manifests : usable;
    }

    /** A configuration that names no platform is believed to fit. */
    void check(ConfigFile config, String what) throws PodException {
        var own = config.platform();
        boolean fits =
                (own.os().isEmpty() || own.os().equals(wanted.os()))
                        && (own.architecture().isEmpty()
                                || (own.architecture().equals(wanted.architecture())
                                        && variants().contains(config.variant())));
        if (!fits) {
            throw new PodException(
                    PodException.Kind.UNSUPPORTED,
                    "%s is for %s, this node is %s"
                            .formatted(
                                    what,
                                    config.variant().isEmpty()
                                            ? shown(own)
                                            : shown(own) + "/" + config.variant(),
                                    shown(wanted)),
                    "use an image built for " + shown(wanted));
        }
    }

    private boolean runsHere(Descriptor manifest) {
        var own = manifest.platform();
        boolean named = !own.os().isEmpty() || !own.architecture().isEmpty();
        return !named
                || (own.os().equals(wanted.os())
                        && own.architecture().equals(wanted.architecture())
                        && variants().contains(own.variant()));
    }

    private int rank(Descriptor manifest) {
        boolean named = !manifest.platform().architecture().isEmpty();
        return named ? variants().indexOf(manifest.platform().variant()) : variants().size();
    }

    /**
     * Of amd64 the first level alone, as containerd does where it is not told more: the CPU that a
     * guest gets is the host's or an emulator's, and nothing says which before it runs.
     */
    private List<String> variants() {
        return switch (wanted.architecture()) {
            case "arm" -> ARM;
            case "arm64" -> List.of("v8", "");
            default -> List.of("", "v1");
        };
    }

    private static String platforms(List<Descriptor> manifests) {
        return manifests.stream()
                .map(Descriptor::platform)
                .map(platform ->
                        platform.variant().isEmpty()
                                ? platform.os() + "/" + platform.architecture()
                                : platform.os()
                                        + "/"
                                        + platform.architecture()
                                        + "/"
                                        + platform.variant())
                .filter(text -> !text.startsWith("unknown/"))
                .distinct()
                .collect(Collectors.joining(", "));
    }

    private static String shown(Image.Platform platform) {
        return platform.os() + "/" + platform.architecture();
    }
}
