package podvm.engine.pod;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import podvm.engine.Agent.MountPlan;
import podvm.engine.Agent.MountSource;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.MountSource.ImageFiles;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.Images;
import podvm.engine.LayerDisk;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.SandboxRecord;

/**
 * What the containers of a sandbox run from, and what they mount of other images. An image is kept
 * from its first use until the sandbox ends.
 */
final class SandboxImages {
    private final SandboxRecord sandbox;
    private final Images images;

    SandboxImages(SandboxRecord sandbox, Images images) {
        this.sandbox = sandbox;
        this.images = images;
    }

    /** Fails with NOT_FOUND where it has not been pulled. */
    Image held(String reference) throws PodException {
        var found = images.find(reference);
        if (found.isEmpty() || !hold(found.get().id())) {
            throw new PodException(
                    Kind.NOT_FOUND, "image " + reference + " is not on this node", "pull it first");
        }
        return found.get();
    }

    private boolean hold(Digest image) {
        return images.hold(sandbox.id().pod(), sandbox.spec().metadata().toString(), image);
    }

    /**
     * After a restart of the daemon; one that was lost meanwhile is not missed before it is used.
     */
    void holdAgain() {
        for (var held : sandbox.containers()) {
            var _ = hold(held.container().imageId());
            for (var mount : held.container().config().mounts()) {
                if (mount.source() instanceof ImageFiles files) {
                    files.id().ifPresent(this::hold);
                }
            }
        }
    }

    /** Says of each mounted image which one it is: its name may lead elsewhere tomorrow. */
    ContainerConfig resolved(ContainerConfig config) throws PodException {
        var mounts = new ArrayList<ContainerConfig.Mount>();
        for (var mount : config.mounts()) {
            mounts.add(
                    mount.source() instanceof ImageFiles(var name, var _)
                            ? mount.of(new ImageFiles(name, Optional.of(held(name).id())))
                            : mount);
        }
        return config.with(mounts);
    }

    /** The files of an image, of a mount that {@link #resolved} has seen. */
    MountPlan plan(ContainerConfig.Mount mount, ImageFiles files) throws PodException {
        var serials = layers(files).stream().map(layer -> layer.disk().serial()).toList();
        return new MountPlan(
                mount.containerPath(), new MountSource.ImageLayers(serials), true, mount.subPath());
    }

    /** All that must be attached for the mounts of a container. */
    List<LayerDisk> layers(ContainerConfig config) throws PodException {
        var all = new ArrayList<LayerDisk>();
        for (var mount : config.mounts()) {
            if (mount.source() instanceof ImageFiles files) {
                all.addAll(layers(files));
            }
        }
        return all;
    }

    private List<LayerDisk> layers(ImageFiles files) throws PodException {
        var id = files.id().map(Digest::toString).orElse(files.image());
        return held(id).layers();
    }
}
