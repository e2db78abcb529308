package podvm.volume;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.UUID;
import podvm.engine.Disk;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.Volumes;

/** Keeps scratch disks as sparse files: {@code <state>/pods/<pod id>/scratch.img}. */
public final class ScratchVolumes implements Volumes {
    private static final String SERIAL = "scratch";
    private static final long LEAST = 64L << 20;
    private static final long MOST = 1L << 40;

    private final Path pods;

    public ScratchVolumes(Path state) {
        this.pods = state.resolve("pods");
    }

    @Override
    public ScratchDisk scratch(PodId pod, long bytes) throws PodException {
        if (bytes < LEAST || bytes > MOST) {
            throw new PodException(
                    Kind.INVALID,
                    "a scratch disk of " + bytes + " bytes for pod " + pod,
                    "choose between 64 MiB and 1 TiB");
        }
        var file = file(pod);
        try {
            create(file, bytes);
        } catch (FileAlreadyExistsException e) {
            throw new PodException(
                    Kind.ALREADY_EXISTS,
                    "pod " + pod + " has a scratch disk already: " + file,
                    "remove the pod first",
                    e);
        } catch (IOException e) {
            var failure = failed("make scratch disk " + file, e);
            destroy(pod);
            throw failure;
        }
        return new ScratchFile(pod);
    }

    /** Fails with NOT_FOUND. */
    @Override
    public ScratchDisk find(PodId pod) throws PodException {
        if (!Files.exists(file(pod))) {
            throw new PodException(
                    Kind.NOT_FOUND,
                    "pod " + pod + " has lost its scratch disk " + file(pod),
                    "remove the pod");
        }
        return new ScratchFile(pod);
    }

    /** Readable by the daemon's user alone: the VMM is handed it open. */
    private static void create(Path file, long bytes) throws IOException {
        Files.createDirectories(
                file.getParent(),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        var ownerOnly =
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"));
        var options = Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try (var channel = FileChannel.open(file, options, ownerOnly)) {
            Ext4Writer.write(channel, bytes, UUID.randomUUID());
        }
    }

    @Override
    public Disk device(String path, Disk.Access access) throws PodException {
        return BlockDevices.disk(path, access);
    }

    @Override
    public void destroy(PodId pod) throws PodException {
        var file = file(pod);
        try {
            Files.deleteIfExists(file);
            Files.deleteIfExists(file.getParent());
        } catch (DirectoryNotEmptyException _) {
            // others keep things of the pod there too
        } catch (IOException e) {
            throw failed("remove " + file, e);
        }
    }

    private Path file(PodId pod) {
        return pods.resolve(pod.text()).resolve("scratch.img");
    }

    private static PodException failed(String what, IOException cause) {
        return new PodException(
                Kind.EXHAUSTED,
                "cannot " + what + ": " + cause,
                "check the space left and the permissions",
                cause);
    }

    /** A pod's disk; its file goes with it. */
    private final class ScratchFile implements ScratchDisk {
        private final PodId pod;

        ScratchFile(PodId pod) {
            this.pod = pod;
        }

        @Override
        public Disk disk() {
            return new Disk(SERIAL, file(pod), Disk.Access.READ_WRITE);
        }

        @Override
        public void close() throws PodException {
            destroy(pod);
        }
    }
}
