package podvm.node;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import podvm.engine.Digest;
import podvm.engine.LayerDisk;
import podvm.proto.node.v1.Image;
import podvm.proto.node.v1.ImageConfig;
import podvm.proto.node.v1.ImageDetails;
import podvm.proto.node.v1.ImageHistory;
import podvm.proto.node.v1.ImageLayer;
import podvm.proto.node.v1.ImageRemoval;
import podvm.proto.node.v1.LayerCheck;

/** Images as the wire has them. */
final class ImageMessages {
    /** How many images have a layer. */
    private final Map<Digest, Integer> users = new HashMap<>();

    /**
     * @param all images of the node: what is shared shows only among them
     */
    ImageMessages(List<podvm.engine.Image> all) {
        for (var image : all) {
            image.layers().forEach(disk -> users.merge(disk.diffId(), 1, Integer::sum));
        }
    }

    Image image(podvm.engine.Image image) {
        return Image.newBuilder()
                .setId(image.id().toString())
                .addAllNames(image.names())
                .setDiskBytes(image.diskBytes())
                .setCreatedUnixNs(PodMessages.nanos(image.created()))
                .setPlatform(platform(image))
                .setLayers(image.layers().size())
                .setSharedBytes(sharedBytes(image))
                .build();
    }

    ImageDetails details(podvm.engine.ImageDetails details) {
        var image = details.image();
        var message =
                ImageDetails.newBuilder()
                        .setId(image.id().toString())
                        .addAllNames(image.names())
                        .setPlatform(platform(image))
                        .setCreatedUnixNs(PodMessages.nanos(image.created()))
                        .setDiskBytes(image.diskBytes())
                        .setSharedBytes(sharedBytes(image))
                        .setConfig(config(image.config()))
                        .addAllPods(details.pods());
        details.layers().forEach(layer -> message.addLayers(layer(layer)));
        details.history().forEach(step -> message.addHistory(history(step)));
        return message.build();
    }

    private long sharedBytes(podvm.engine.Image image) {
        return image.layers().stream()
                .filter(disk -> users.getOrDefault(disk.diffId(), 0) > 1)
                .mapToLong(LayerDisk::bytes)
                .sum();
    }

    private static String platform(podvm.engine.Image image) {
        return image.platform().os() + "/" + image.platform().architecture();
    }

    private static ImageConfig config(podvm.engine.ImageConfig config) {
        return ImageConfig.newBuilder()
                .addAllEntrypoint(config.entrypoint())
                .addAllCmd(config.cmd())
                .addAllEnv(config.env())
                .setUser(config.user())
                .setWorkingDir(config.workingDir())
                .setStopSignal(config.stopSignal())
                .putAllLabels(config.labels())
                .build();
    }

    private static ImageLayer layer(podvm.engine.ImageDetails.Layer layer) {
        return ImageLayer.newBuilder()
                .setDiffId(layer.disk().diffId().toString())
                .setDiskBytes(layer.disk().bytes())
                .setFile(layer.disk().file().toString())
                .setVerityRoot(layer.verityRoot().hex())
                .build();
    }

    private static ImageHistory history(podvm.engine.ImageDetails.History step) {
        var message =
                ImageHistory.newBuilder()
                        .setCreatedUnixNs(PodMessages.nanos(step.created()))
                        .setCreatedBy(step.createdBy())
                        .setAuthor(step.author())
                        .setComment(step.comment());
        step.layer()
                .ifPresent(layer ->
                        message.setDiffId(layer.disk().diffId().toString())
                                .setDiskBytes(layer.disk().bytes()));
        return message.build();
    }

    static ImageRemoval removal(podvm.engine.ImageRemoval removal) {
        return ImageRemoval.newBuilder()
                .addAllNames(removal.names())
                .addAllImages(removal.images().stream().map(Digest::toString).toList())
                .setBytes(removal.bytes())
                .build();
    }

    static LayerCheck check(podvm.engine.LayerCheck check) {
        return LayerCheck.newBuilder()
                .setDiffId(check.diffId().toString())
                .addAllImages(check.images())
                .setDiskBytes(check.bytes())
                .setState(check.state().name())
                .setDetail(check.detail())
                .build();
    }
}
