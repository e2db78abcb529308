package podvm.image.layer;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import podvm.image.content.Refusal;
import podvm.image.content.Shown;

/**
 * Reads tar as images use it: ustar, PAX and GNU (long names, sparse files). Global PAX headers are
 * skipped, as other runtimes do.
 *
 * <p>The numbers come from POSIX (pax, "ustar Interchange Format") and GNU tar's manual ("Basic Tar
 * Format", "Storing Sparse Files").
 */
public final class TarReader {
    private static final int BLOCK = 512;
    private static final byte[] ZEROS = new byte[BLOCK];

    /** Largest long names and PAX headers of an entry: more than any real ones, little memory. */
    private static final int LARGEST_EXTENSION = 1 << 20;

    private final InputStream in;
    private final byte[] header = new byte[BLOCK];
    private long position;
    private long dataLeft;
    private int padding;
    private int extensionBytes;

    public TarReader(InputStream in) {
        this.in = in;
    }

    /** Bytes taken from the stream so far. */
    public long position() {
        return position;
    }

    /** The next entry, whatever is left of the data of the one before; null at the end. */
    public @Nullable TarEntry next() throws IOException {
        var extensions = new TarExtensions();
        extensionBytes = 0;
        while (true) {
            skipData();
            if (!readHeader()) {
                return null;
            }
            var fields = new TarHeader(header, position - BLOCK);
            switch (fields.type()) {
                case 'x' -> extensions.pax(extension(fields));
                case 'g' -> {
                    extension(fields);
                    extensionBytes = 0;
                }
                case 'L' -> extensions.longName(extension(fields));
                case 'K' -> extensions.longLink(extension(fields));
                default -> {
                    return named(fields, extensions);
                }
            }
        }
    }

    /** Reads data of the current entry; -1 at its end. */
    int read(byte[] target, int from, int length) throws IOException {
        if (dataLeft == 0) {
            return -1;
        }
        int got = in.read(target, from, (int) Math.min(length, dataLeft));
        if (got < 0) {
            throw truncated();
        }
        position += got;
        dataLeft -= got;
        return got;
    }

    private TarEntry named(TarHeader fields, TarExtensions extensions) throws IOException {
        try {
            return entry(fields, extensions);
        } catch (Refusal e) {
            var name = extensions.shown(fields);
            var message = e.finding().getMessage();
            throw message.contains(name)
                    ? e
                    : Refusal.corrupt("tar entry %s is refused: %s".formatted(name, message));
        }
    }

    private TarEntry entry(TarHeader fields, TarExtensions extensions) throws IOException {
        dataLeft = extensions.size(fields);
        padding = padding(dataLeft);
        if (fields.type() == 'S') {
            extensions.oldSparse(fields);
            var map = new byte[BLOCK];
            for (boolean more = fields.moreSparse(); more; ) {
                readFully(map);
                more = extensions.oldSparseBlock(map);
            }
        } else if (extensions.mapIsInData()) {
            new SparseMapText(this, extensions).read();
        }
        return extensions.entry(fields, dataLeft);
    }

    private byte[] extension(TarHeader fields) throws IOException {
        long size = fields.size();
        if (size > LARGEST_EXTENSION - extensionBytes) {
            throw Refusal.corrupt(
                    "tar header at byte %d announces %d bytes of extensions for %s; at most %d are read for one entry"
                            .formatted(
                                    position - BLOCK,
                                    size,
                                    Shown.name(fields.name()),
                                    LARGEST_EXTENSION));
        }
        extensionBytes += (int) size;
        var bytes = new byte[(int) size];
        readFully(bytes);
        padding = padding(size);
        return bytes;
    }

    private boolean readHeader() throws IOException {
        int got = in.readNBytes(header, 0, BLOCK);
        position += got;
        if (got == 0) {
            return false;
        }
        if (got < BLOCK) {
            throw truncated();
        }
        if (!isZero(header)) {
            return true;
        }
        // the end is two blocks of zeros; what follows is padding
        got = in.readNBytes(header, 0, BLOCK);
        position += got;
        if (got == BLOCK && !isZero(header)) {
            throw Refusal.corrupt("tar goes on after a block of zeros at byte " + position);
        }
        return false;
    }

    private void skipData() throws IOException {
        try {
            in.skipNBytes(dataLeft);
        } catch (EOFException e) {
            throw truncated();
        }
        position += dataLeft;
        dataLeft = 0;
        // some writers leave out what should follow the last entry, as GNU tar accepts
        int got = in.readNBytes(header, 0, padding);
        position += got;
        padding = 0;
    }

    private void readFully(byte[] target) throws IOException {
        int got = in.readNBytes(target, 0, target.length);
        position += got;
        if (got < target.length) {
            throw truncated();
        }
    }

    private Refusal truncated() {
        return Refusal.corrupt("tar ends in the middle of an entry, after byte " + position);
    }

    private static int padding(long size) {
        return (int) (-size & (BLOCK - 1));
    }

    private static boolean isZero(byte[] block) {
        return Arrays.equals(block, ZEROS);
    }
}
