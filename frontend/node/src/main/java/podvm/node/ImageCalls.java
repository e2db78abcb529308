package podvm.node;

import static podvm.engine.PodException.Kind.INVALID;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.Images;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;
import podvm.proto.node.v1.Image;
import podvm.proto.node.v1.ImageEvent;
import podvm.proto.node.v1.ListImagesResponse;
import podvm.proto.node.v1.LoadImageRequest;
import podvm.proto.node.v1.LoadImageResponse;

/** The calls about images. */
final class ImageCalls {
    /** A limit against what hangs for ever; slow lines deserve their time. */
    private static final Duration LONGEST_PULL = Duration.ofHours(2);

    private final Images images;

    ImageCalls(Images images) {
        this.images = images;
    }

    ListImagesResponse list() throws PodException {
        var response = ListImagesResponse.newBuilder();
        images.list().forEach(image -> response.addImages(message(image)));
        return response.build();
    }

    void pull(String reference, Outlet<ImageEvent> out)
            throws PodException, InterruptedException, IOException {
        if (reference.isBlank()) {
            throw new PodException(INVALID, "no image is named", "name one, such as nginx:1.29");
        }
        var progress =
                new ProgressEvents<>(
                        out, step -> ImageEvent.newBuilder().setProgress(step).build());
        var image =
                images.pull(reference, PullPolicy.ALWAYS, progress, Deadline.after(LONGEST_PULL));
        out.send(ImageEvent.newBuilder().setImage(message(image)).build());
    }

    LoadImageResponse load(Inlet<LoadImageRequest> in) throws PodException, InterruptedException {
        var first = in.take().filter(LoadImageRequest::hasStart);
        if (first.isEmpty()) {
            throw new PodException(INVALID, "the image did not begin with its start message", "");
        }
        var name = Optional.of(first.get().getStart().getName()).filter(text -> !text.isEmpty());
        var response = LoadImageResponse.newBuilder();
        images.load(new UploadStream(in), name, Progress.NONE)
                .forEach(image -> response.addImages(message(image)));
        return response.build();
    }

    private static Image message(podvm.engine.Image image) {
        var platform = image.platform();
        return Image.newBuilder()
                .setId(image.id().toString())
                .addAllNames(image.names())
                .setDiskBytes(image.diskBytes())
                .setCreatedUnixNs(PodMessages.nanos(image.created()))
                .setPlatform(platform.os() + "/" + platform.architecture())
                .setLayers(image.layers().size())
                .build();
    }
}
