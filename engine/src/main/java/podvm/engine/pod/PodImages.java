package podvm.engine.pod;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import podvm.engine.ContainerSpec;
import podvm.engine.Deadline;
import podvm.engine.Image;
import podvm.engine.Images;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.PodSpec;
import podvm.engine.Progress;

/** Gets the images of a pod's containers, and keeps them for it. */
record PodImages(Images images, PodId pod, PodSpec spec, Progress pulls) {
    private static final Duration PULL = Duration.ofHours(1);

    /** Each container has its image from then on. */
    List<Image> pull(List<ContainerSlot> slots) throws PodException, InterruptedException {
        var result = new ArrayList<Image>();
        for (var slot : slots) {
            var image = pull(slot.spec);
            // told now rather than when the pod is to be stopped
            var _ = Signals.parse(image.config().stopSignal());
            slot.image = image;
            slot.waitFor("PodInitializing", "", Instant.EPOCH);
            result.add(image);
        }
        return result;
    }

    /**
     * A store tells of registries and files; which of the pod's images it was about is told here.
     */
    private Image pull(ContainerSpec container) throws PodException, InterruptedException {
        var name = container.image();
        try {
            while (true) {
                var image = images.pull(name, container.pullPolicy(), pulls, Deadline.after(PULL));
                if (images.hold(pod, spec.namespace() + "/" + spec.name(), image.id())) {
                    return image;
                }
                // somebody removed it at this very moment
            }
        } catch (PodException e) {
            var message = String.valueOf(e.getMessage());
            if (message.contains(name)) {
                throw e;
            }
            throw new PodException(
                    e.kind(), "cannot get the image " + name + ": " + message, e.remedy(), e);
        }
    }

    void release() {
        images.release(pod);
    }
}
