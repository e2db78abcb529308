package podvm.engine;

/**
 * What was exported. Layers are made again from their disks, as tars that say the same in other
 * bytes; where they differ from the published ones, so does the image's id.
 *
 * @param stored id in the store
 * @param exported id in the archive
 */
public record ImageExport(Digest stored, Digest exported, long bytes) {}
