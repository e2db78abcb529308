package podvm.image.layer;

/**
 * What one layer may take at most; a stranger wrote it.
 *
 * @param entries files, directories and links, implied parents included; each costs about 110 bytes
 *     of heap while the layer is written
 * @param metadata bytes of names, targets of symbolic links and extended attributes, also on the
 *     heap
 * @param bytes of the layer unpacked, holes of sparse files included
 */
public record LayerLimits(int entries, long metadata, long bytes) {
    public static final LayerLimits DEFAULT = new LayerLimits(2_000_000, 128L << 20, 64L << 30);
}
