package podvm.node;

import static podvm.engine.PodException.Kind.CONFLICT;
import static podvm.engine.PodException.Kind.INVALID;

import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.Images;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;
import podvm.proto.node.v1.ExportImageRequest;
import podvm.proto.node.v1.ExportImageResponse;
import podvm.proto.node.v1.Image;
import podvm.proto.node.v1.ImageDetails;
import podvm.proto.node.v1.ImageEvent;
import podvm.proto.node.v1.ImageExported;
import podvm.proto.node.v1.ImageRemoval;
import podvm.proto.node.v1.ListImagesResponse;
import podvm.proto.node.v1.LoadImageRequest;
import podvm.proto.node.v1.LoadImageResponse;
import podvm.proto.node.v1.VerifyEvent;

/** The calls about images. */
final class ImageCalls {
    /** A limit against what hangs for ever; slow lines deserve their time. */
    private static final Duration LONGEST_PULL = Duration.ofHours(2);

    private final Images images;

    ImageCalls(Images images) {
        this.images = images;
    }

    ListImagesResponse list() throws PodException {
        var all = images.list();
        var messages = new ImageMessages(all);
        var response = ListImagesResponse.newBuilder();
        all.forEach(image -> response.addImages(messages.image(image)));
        return response.build();
    }

    void pull(String reference, Outlet<ImageEvent> out)
            throws PodException, InterruptedException, IOException {
        if (reference.isBlank()) {
            throw new PodException(INVALID, "no image is named", "name one, such as nginx:1.29");
        }
        out.send(ImageEvent.newBuilder().setName(images.fullName(reference)).build());
        var progress =
                new ProgressEvents<>(
                        out, step -> ImageEvent.newBuilder().setProgress(step).build());
        var image =
                images.pull(reference, PullPolicy.ALWAYS, progress, Deadline.after(LONGEST_PULL));
        out.send(ImageEvent.newBuilder().setImage(messages().image(image)).build());
    }

    LoadImageResponse load(Inlet<LoadImageRequest> in) throws PodException, InterruptedException {
        var first = in.take().filter(LoadImageRequest::hasStart);
        if (first.isEmpty()) {
            throw new PodException(INVALID, "the image did not begin with its start message", "");
        }
        var name = Optional.of(first.get().getStart().getName()).filter(text -> !text.isEmpty());
        var response = LoadImageResponse.newBuilder();
        var loaded = images.load(new UploadStream(in), name, Progress.NONE);
        var messages = messages();
        loaded.forEach(image -> response.addImages(messages.image(image)));
        return response.build();
    }

    ImageDetails inspect(String image) throws PodException {
        return messages().details(images.details(named(image)));
    }

    Image tag(String image, String name) throws PodException {
        if (name.isBlank()) {
            throw new PodException(INVALID, "no name is given", "give one, such as team/app:1");
        }
        return messages().image(images.tag(named(image), name));
    }

    /** One name at a time: an id would take all names of an image along. */
    ImageRemoval remove(String image) throws PodException {
        var found = images.find(named(image));
        var tags =
                found.stream()
                        .flatMap(one -> one.names().stream())
                        .filter(name -> !name.contains("@"))
                        .toList();
        var digits = image.startsWith("sha256:") ? image.substring(7) : image;
        boolean byId =
                found.isPresent()
                        && found.get().id().hex().startsWith(digits)
                        && !isTag(image, tags);
        if (byId && tags.size() > 1) {
            throw new PodException(
                    CONFLICT,
                    "image %s has %d names: %s"
                            .formatted(image, tags.size(), String.join(", ", tags)),
                    "remove them one at a time");
        }
        return ImageMessages.removal(images.remove(image));
    }

    /** A name may look like the beginning of an id; a whole id is no name. */
    private boolean isTag(String text, List<String> tags) {
        try {
            return tags.contains(images.fullName(text));
        } catch (PodException _) {
            return false;
        }
    }

    ImageRemoval prune(boolean all) throws PodException {
        return ImageMessages.removal(
                images.prune(all ? Images.Unwanted.ALL : Images.Unwanted.NAMELESS));
    }

    void verify(String image, Outlet<VerifyEvent> out)
            throws PodException, InterruptedException, IOException {
        var progress =
                new ProgressEvents<>(
                        out, step -> VerifyEvent.newBuilder().setProgress(step).build());
        var asked = Optional.of(image).filter(text -> !text.isEmpty());
        for (var check : images.verify(asked, progress)) {
            out.send(VerifyEvent.newBuilder().setLayer(ImageMessages.check(check)).build());
        }
    }

    void export(ExportImageRequest request, Outlet<ExportImageResponse> out)
            throws PodException, InterruptedException, IOException {
        var packing = request.getGzip() ? Images.LayerPacking.GZIP : Images.LayerPacking.PLAIN;
        var progress =
                new ProgressEvents<>(
                        out, step -> ExportImageResponse.newBuilder().setProgress(step).build());
        var archive =
                new ChunkStream<>(
                        out, data -> ExportImageResponse.newBuilder().setData(data).build());
        var done = images.export(named(request.getImage()), packing, archive, progress);
        archive.finish();
        var exported =
                ImageExported.newBuilder()
                        .setId(done.stored().toString())
                        .setExportedId(done.exported().toString())
                        .setBytes(done.bytes());
        out.send(ExportImageResponse.newBuilder().setExported(exported).build());
    }

    private static String named(String image) throws PodException {
        if (image.isBlank()) {
            throw new PodException(INVALID, "no image is named", "podvm image ls shows them");
        }
        return image;
    }

    private ImageMessages messages() throws PodException {
        return new ImageMessages(images.list());
    }
}
