package podvm.image.layer;

import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import podvm.engine.PodException;
import podvm.image.Refusal;

/** Finds out by its first bytes how a stream is compressed: what it is called may be wrong. */
final class Decoded {
    private static final int MAGIC_BYTES = 4;
    private static final int ZSTD = 0x28B5_2FFD;

    private Decoded() {}

    static InputStream of(InputStream raw) throws IOException {
        var first = raw.readNBytes(MAGIC_BYTES);
        var whole = new PushbackInputStream(raw, MAGIC_BYTES);
        whole.unread(first);
        int magic = 0;
        for (byte octet : first) {
            magic = (magic << 8) | (octet & 0xff);
        }
        if (first.length == MAGIC_BYTES && magic == ZSTD) {
            throw new Refusal(
                    new PodException(
                            PodException.Kind.UNSUPPORTED,
                            "layer is compressed with zstd, which is not read yet",
                            "build the image with gzip layers"));
        }
        boolean gzip = first.length == MAGIC_BYTES && magic >>> 16 == 0x1F8B;
        return gzip ? new Gunzip(whole) : whole;
    }
}
