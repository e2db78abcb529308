package podvm.engine;

import java.nio.file.Path;

/** A read-only EROFS image of one layer, shared by all pods of the node. */
public record LayerDisk(Digest diffId, Path file, long bytes) {
    public Disk disk() {
        return new Disk("L" + diffId.hex().substring(0, 30), file, Disk.Access.READ_ONLY);
    }
}
