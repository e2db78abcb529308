package podvm.image.layer;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import podvm.engine.PodException;
import podvm.image.content.Refusal;

/**
 * Turns the tar stream of a layer into an EROFS image in one pass: data is written as it comes, in
 * whole blocks of 4 KiB so that it can be mapped; metadata follows, the superblock comes last.
 */
public final class LayerWriter {
    private final LayerLimits limits;

    public LayerWriter(LayerLimits limits) {
        this.limits = limits;
    }

    /** Reads the stream to its end and writes the image from the file's beginning. */
    public WrittenLayer write(InputStream tar, FileChannel file) throws IOException {
        var out = new BlockOutput(file, limits.bytes());
        out.skip(BlockOutput.BLOCK);
        var layer = new LayerTree(limits);
        var bounded = new BoundedTar(tar, limits);
        var reader = new TarReader(bounded);
        for (var entry = reader.next(); entry != null; entry = reader.next()) {
            int inode = layer.add(entry);
            if (inode != Inodes.NONE && entry.size() > 0) {
                out.align();
                layer.tree().inodes().place(inode, out.block());
                layer.tree().inodes().size(inode, entry.size());
                copy(entry, reader, out);
            }
        }
        bounded.readPadding();
        var implied = ImpliedDirectories.of(layer.tree());
        return new WrittenLayer(finish(layer.tree(), out, file), implied);
    }

    /** Bytes of the image. */
    private long finish(Tree tree, BlockOutput out, FileChannel file) throws IOException {
        var metadata = new Metadata(tree);
        int start = metadata.write(out);
        out.flush();
        var superblock =
                new Superblock(metadata.rootSlot(), metadata.inodeCount(), out.block(), start);
        var first = ByteBuffer.wrap(superblock.encode());
        while (first.hasRemaining()) {
            file.write(first, first.position());
        }
        return out.position();
    }

    private void copy(TarEntry entry, TarReader reader, BlockOutput out) throws IOException {
        if (entry.size() > limits.bytes() - out.position()) {
            throw new Refusal(
                    new PodException(
                            PodException.Kind.EXHAUSTED,
                            "layer entry %s of %d bytes makes the layer larger than %d bytes"
                                    .formatted(entry.shown(), entry.size(), limits.bytes()),
                            "raise the limit of a layer's size or split the layer"));
        }
        if (entry.pieces().length == 0) {
            copy(entry.stored(), reader, out);
            return;
        }
        long at = 0;
        for (int piece = 0; piece < entry.pieces().length; piece += 2) {
            out.skip(entry.pieces()[piece] - at);
            copy(entry.pieces()[piece + 1], reader, out);
            at = entry.pieces()[piece] + entry.pieces()[piece + 1];
        }
        out.skip(entry.size() - at);
    }

    private static void copy(long count, TarReader reader, BlockOutput out) throws IOException {
        long left = count;
        while (left > 0) {
            int room = (int) Math.min(out.room(), left);
            int got = reader.read(out.bytes(), out.from(), room);
            if (got < 0) {
                throw Refusal.corrupt("tar has less data than an entry announces");
            }
            out.wrote(got);
            left -= got;
        }
    }

    static Refusal tooLarge(long bytes) {
        return new Refusal(
                new PodException(
                        PodException.Kind.EXHAUSTED,
                        "layer is larger than %d bytes".formatted(bytes),
                        "raise the limit of a layer's size or split the layer"));
    }
}
