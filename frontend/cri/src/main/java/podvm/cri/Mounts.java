package podvm.cri;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerConfig.Mount.Propagation;
import podvm.engine.ContainerConfig.MountSource;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.proto.cri.v1.Mount;
import podvm.proto.cri.v1.MountPropagation;

/** Mounts, from the wire and back. */
final class Mounts {
    private Mounts() {}

    static List<ContainerConfig.Mount> read(List<Mount> mounts) throws PodException {
        var all = new ArrayList<ContainerConfig.Mount>();
        for (var mount : mounts) {
            all.add(read(mount));
        }
        return List.copyOf(all);
    }

    private static ContainerConfig.Mount read(Mount mount) throws PodException {
        if (mount.getContainerPath().isEmpty()) {
            throw new PodException(Kind.INVALID, "a mount has no container_path", "");
        }
        if (mount.getRecursiveReadOnly()
                && (!mount.getReadonly()
                        || mount.getPropagation() != MountPropagation.PROPAGATION_PRIVATE)) {
            throw new PodException(
                    Kind.INVALID,
                    "recursive_read_only of the mount at %s needs readonly and private propagation"
                            .formatted(mount.getContainerPath()),
                    "");
        }
        return new ContainerConfig.Mount(
                mount.getContainerPath(),
                source(mount),
                mount.getImageSubPath(),
                mount.getReadonly(),
                mount.getRecursiveReadOnly(),
                propagation(mount),
                mount.getSelinuxRelabel());
    }

    private static MountSource source(Mount mount) throws PodException {
        boolean image = !mount.getImage().getImage().isEmpty();
        boolean host = !mount.getHostPath().isEmpty();
        if (image == host) {
            throw new PodException(
                    Kind.INVALID,
                    "the mount at %s needs either a host_path or an image"
                            .formatted(mount.getContainerPath()),
                    "");
        }
        if (image && !mount.getReadonly()) {
            throw new PodException(
                    Kind.INVALID,
                    "the mount at %s is of an image, which cannot be written"
                            .formatted(mount.getContainerPath()),
                    "set readonly");
        }
        if (host && !mount.getImageSubPath().isEmpty()) {
            throw new PodException(
                    Kind.INVALID,
                    "the mount at %s has an image_sub_path and no image"
                            .formatted(mount.getContainerPath()),
                    "");
        }
        return image
                ? new MountSource.ImageFiles(mount.getImage().getImage(), Optional.empty())
                : new MountSource.HostPath(hostPath(mount));
    }

    private static Path hostPath(Mount mount) throws PodException {
        try {
            var path = Path.of(mount.getHostPath());
            if (path.isAbsolute()) {
                return path;
            }
        } catch (InvalidPathException e) {
            // told below: it holds what no file of this host can be called
        }
        throw new PodException(
                Kind.INVALID,
                "the mount at %s has a host_path that is not an absolute path: %s"
                        .formatted(mount.getContainerPath(), mount.getHostPath()),
                "");
    }

    private static Propagation propagation(Mount mount) throws PodException {
        return switch (mount.getPropagation()) {
            case PROPAGATION_PRIVATE -> Propagation.PRIVATE;
            case PROPAGATION_HOST_TO_CONTAINER -> Propagation.HOST_TO_CONTAINER;
            case PROPAGATION_BIDIRECTIONAL -> Propagation.BIDIRECTIONAL;
            case UNRECOGNIZED ->
                    throw new PodException(
                            Kind.INVALID,
                            "unknown propagation %d of the mount at %s"
                                    .formatted(
                                            mount.getPropagationValue(), mount.getContainerPath()),
                            "");
        };
    }

    static Mount message(ContainerConfig.Mount mount) {
        var message =
                Mount.newBuilder()
                        .setContainerPath(mount.containerPath())
                        .setReadonly(mount.readOnly())
                        .setRecursiveReadOnly(mount.recursiveReadOnly())
                        .setSelinuxRelabel(mount.selinuxRelabel())
                        .setPropagation(
                                switch (mount.propagation()) {
                                    case PRIVATE -> MountPropagation.PROPAGATION_PRIVATE;
                                    case HOST_TO_CONTAINER ->
                                            MountPropagation.PROPAGATION_HOST_TO_CONTAINER;
                                    case BIDIRECTIONAL ->
                                            MountPropagation.PROPAGATION_BIDIRECTIONAL;
                                });
        switch (mount.source()) {
            case MountSource.HostPath(var path) -> message.setHostPath(path.toString());
            case MountSource.ImageFiles(var image, var id) -> {
                message.getImageBuilder().setImage(image);
                id.ifPresent(digest -> message.getImageBuilder().setImageRef(digest.toString()));
                message.setImageSubPath(mount.subPath());
            }
            case MountSource.Files _, MountSource.EmptyDir _, MountSource.Memory _ -> {
                // not among what a caller of CRI can ask for
            }
        }
        return message.build();
    }
}
