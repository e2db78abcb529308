package podvm.cri;

import io.grpc.stub.StreamObserver;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.Images;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;
import podvm.proto.cri.v1.*;
import tools.jackson.databind.node.JsonNodeFactory;

/** The service by which the kubelet keeps images. */
final class ImageCalls extends ImageServiceGrpc.ImageServiceImplBase {
    /** The caller's own patience ends a pull earlier. */
    private static final Duration LONGEST_PULL = Duration.ofHours(6);

    private final Images images;
    private final ImageFs fileSystem;
    private final Fields fields;

    ImageCalls(Images images, Fields fields, NodeInfo node) {
        this.images = images;
        this.fileSystem = new ImageFs(images, node);
        this.fields = fields;
    }

    @Override
    public void listImages(ListImagesRequest request, StreamObserver<ListImagesResponse> observer) {
        Calls.answer(
                "ListImages",
                observer,
                () ->
                        ListImagesResponse.newBuilder()
                                .addAllImages(list(request.getFilter()))
                                .build());
    }

    @Override
    public void streamImages(
            StreamImagesRequest request, StreamObserver<StreamImagesResponse> observer) {
        Calls.stream(
                "StreamImages",
                observer,
                out ->
                        Pieces.send(
                                list(request.getFilter()),
                                some ->
                                        StreamImagesResponse.newBuilder()
                                                .addAllImages(some)
                                                .build(),
                                out));
    }

    private List<Image> list(ImageFilter filter) throws PodException {
        fields.check(filter);
        var wanted = filter.getImage().getImage();
        var found = wanted.isEmpty() ? images.list() : find(wanted).stream().toList();
        return found.stream().map(ImageMessages::image).toList();
    }

    /** What is no reference at all leads to no image, either. */
    private Optional<podvm.engine.Image> find(String reference) throws PodException {
        try {
            return images.find(reference);
        } catch (PodException e) {
            if (e.kind() == Kind.INVALID || e.kind() == Kind.NOT_FOUND) {
                return Optional.empty();
            }
            throw e;
        }
    }

    @Override
    public void imageStatus(
            ImageStatusRequest request, StreamObserver<ImageStatusResponse> observer) {
        Calls.answer("ImageStatus", observer, () -> status(request));
    }

    private ImageStatusResponse status(ImageStatusRequest request) throws PodException {
        fields.check(request);
        var response = ImageStatusResponse.newBuilder();
        var found = find(named(request.getImage()));
        if (found.isPresent()) {
            var image = found.get();
            response.setImage(ImageMessages.image(image));
            if (request.getVerbose()) {
                var info = JsonNodeFactory.instance.objectNode();
                var layers = info.putArray("layers");
                image.layers().forEach(layer -> layers.add(layer.diffId().toString()));
                info.put("os", image.platform().os());
                info.put("architecture", image.platform().architecture());
                info.put("created", image.created().toString());
                info.put("user", image.config().user());
                var env = info.putArray("env");
                image.config().env().forEach(env::add);
                var labels = info.putObject("labels");
                image.config().labels().forEach(labels::put);
                response.putInfo("info", info.toString());
            }
        }
        return response.build();
    }

    private static String named(ImageSpec image) throws PodException {
        if (image.getImage().isEmpty()) {
            throw new PodException(Kind.INVALID, "image.image is empty", "name an image");
        }
        return image.getImage();
    }

    @Override
    public void pullImage(PullImageRequest request, StreamObserver<PullImageResponse> observer) {
        Calls.answer(
                "PullImage",
                observer,
                () -> {
                    fields.check(request);
                    var image =
                            images.pull(
                                    named(request.getImage()),
                                    PullPolicy.ALWAYS,
                                    Logins.read(request.getAuth()),
                                    Progress.NONE,
                                    Deadline.after(LONGEST_PULL));
                    return PullImageResponse.newBuilder()
                            .setImageRef(image.id().toString())
                            .build();
                });
    }

    @Override
    public void removeImage(
            RemoveImageRequest request, StreamObserver<RemoveImageResponse> observer) {
        Calls.answer(
                "RemoveImage",
                observer,
                () -> {
                    fields.check(request);
                    var found = find(named(request.getImage()));
                    if (found.isPresent()) {
                        // all its names: the kubelet means the image, whichever name it says
                        images.remove(found.get().id().toString());
                    }
                    return RemoveImageResponse.getDefaultInstance();
                });
    }

    @Override
    public void imageFsInfo(
            ImageFsInfoRequest request, StreamObserver<ImageFsInfoResponse> observer) {
        Calls.answer("ImageFsInfo", observer, fileSystem::answer);
    }
}
