package podvm.cri;

import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import podvm.engine.Digest;
import podvm.engine.Images;
import podvm.engine.PodException;
import podvm.proto.cri.v1.FilesystemUsage;
import podvm.proto.cri.v1.ImageFsInfoResponse;

/** What images take of the node's disk: what the kubelet's garbage collection goes by. */
final class ImageFs {
    private final Images images;
    private final NodeInfo node;

    ImageFs(Images images, NodeInfo node) {
        this.images = images;
        this.node = node;
    }

    ImageFsInfoResponse answer() throws PodException {
        Map<Digest, Long> layers = new HashMap<>();
        for (var image : images.list()) {
            image.layers().forEach(layer -> layers.put(layer.diffId(), layer.bytes()));
        }
        long bytes = layers.values().stream().mapToLong(Long::longValue).sum();
        return ImageFsInfoResponse.newBuilder()
                .addImageFilesystems(usage(node.imageDirectory().toString(), bytes, layers.size()))
                .build();
    }

    /** A layer is one file, however many it has inside. */
    private static FilesystemUsage usage(String directory, long bytes, long files) {
        var usage = FilesystemUsage.newBuilder().setTimestamp(Times.nanos(Instant.now()));
        usage.getFsIdBuilder().setMountpoint(directory);
        usage.getUsedBytesBuilder().setValue(bytes);
        usage.getInodesUsedBuilder().setValue(files);
        return usage.build();
    }
}
