package podvm.image;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.ImageDetails;
import podvm.engine.ImageDetails.History;
import podvm.engine.ImageDetails.Layer;
import podvm.engine.PodException;
import podvm.image.content.Json;
import tools.jackson.databind.JsonNode;

/** Puts together all that is known of an image (OCI image specification, "Image Configuration"). */
record ImageInspection(ImageIndex index, LayerStore layers) {
    ImageDetails of(Image image) throws PodException {
        var config =
                index.config(image.id())
                        .orElseThrow(() ->
                                new PodException(
                                        PodException.Kind.NOT_FOUND,
                                        "image %s was removed".formatted(image.id()),
                                        ""));
        var own = new ArrayList<Layer>();
        for (var diffId : config.diffIds()) {
            layer(image, diffId).ifPresent(own::add);
        }
        var all = new ArrayList<>(own);
        index.top(image.id()).flatMap(diffId -> layer(image, diffId)).ifPresent(all::add);
        return new ImageDetails(
                image, List.copyOf(all), history(config, own), index.holders(image.id()));
    }

    private Optional<Layer> layer(Image image, Digest diffId) {
        var record = layers.record(diffId);
        return image.layers().stream()
                .filter(disk -> disk.diffId().equals(diffId) && record.isPresent())
                .findFirst()
                .map(disk -> new Layer(disk, record.orElseThrow().verityRoot()));
    }

    private static List<History> history(ConfigFile config, List<Layer> layers)
            throws PodException {
        var root = Json.parse(config.bytes(), "configuration " + config.id());
        var steps = new ArrayList<History>();
        int next = 0;
        for (var step : root.path("history")) {
            boolean made = !step.path("empty_layer").asBoolean(false) && next < layers.size();
            steps.add(history(step, made ? Optional.of(layers.get(next)) : Optional.empty()));
            next += made ? 1 : 0;
        }
        return List.copyOf(steps);
    }

    private static History history(JsonNode step, Optional<Layer> layer) {
        return new History(
                ConfigFile.time(Json.text(step, "created")),
                Json.text(step, "created_by"),
                Json.text(step, "author"),
                Json.text(step, "comment"),
                layer);
    }
}
