package podvm.engine.fake;

import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import podvm.engine.Disk;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.Volumes;

/** Scratch disks that exist by name only. */
public final class FakeVolumes implements Volumes {
    private final Set<PodId> disks = new LinkedHashSet<>();

    @Override
    public synchronized ScratchDisk scratch(PodId pod, long bytes) throws PodException {
        if (!disks.add(pod)) {
            throw new PodException(Kind.ALREADY_EXISTS, "the disk of " + pod, "");
        }
        return new FakeDisk(pod);
    }

    @Override
    public synchronized ScratchDisk find(PodId pod) throws PodException {
        if (!disks.contains(pod)) {
            throw new PodException(Kind.NOT_FOUND, "no disk of " + pod, "");
        }
        return new FakeDisk(pod);
    }

    @Override
    public synchronized void destroy(PodId pod) {
        disks.remove(pod);
    }

    /** Paths below /dev/disk are block devices here. */
    @Override
    public Disk device(String path, Disk.Access access) throws PodException {
        if (!path.startsWith("/dev/disk")) {
            throw new PodException(Kind.UNSUPPORTED, "devices (" + path + ")", "");
        }
        return new Disk(
                "D" + path.substring("/dev/disk".length()) + access.name().charAt(5),
                Path.of(path),
                access,
                Disk.Kind.DEVICE);
    }

    public synchronized List<PodId> open() {
        return List.copyOf(disks);
    }

    private final class FakeDisk implements ScratchDisk {
        private final PodId pod;

        FakeDisk(PodId pod) {
            this.pod = pod;
        }

        @Override
        public Disk disk() {
            return new Disk(
                    "S" + pod.text().substring(0, 30),
                    Path.of("/fake", pod.text()),
                    Disk.Access.READ_WRITE);
        }

        @Override
        public void close() {
            destroy(pod);
        }
    }
}
