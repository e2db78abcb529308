package podvm.image.layer;

import java.io.IOException;
import java.io.InputStream;
import java.io.PushbackInputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import podvm.engine.PodException;
import podvm.image.content.Refusal;

/** Finds out by its first bytes how a stream is compressed: what it is called may be wrong. */
final class Decoded {
    private static final int MAGIC_BYTES = 10;
    private static final String GZIP = "\u001f\u008b";
    private static final String ZSTD = "(\u00b5/\u00fd";

    /** Begins some zstd files: data that decoders skip (RFC 8878, section 3.1.2). */
    private static final String ZSTD_SKIPPED = "*M\u0018";

    /** One char per byte; the image specification knows none of these. */
    private static final Map<String, String> OTHERS = new LinkedHashMap<>();

    static {
        OTHERS.put("BZh", "bzip2");
        OTHERS.put("\u00fd7zXZ\0", "xz");
        OTHERS.put("\u0004\"M\u0018", "lz4");
        OTHERS.put("\u001f\u009d", "compress");
        OTHERS.put("PK\u0003\u0004", "zip");
        OTHERS.put("\u0089LZO\0", "lzop");
    }

    /** The digits of pi that follow the level; a file's name may well begin with BZh. */
    private static final String BZIP2_BLOCK = "1AY&SY";

    private Decoded() {}

    static InputStream of(InputStream raw) throws IOException {
        var whole = new PushbackInputStream(raw, MAGIC_BYTES);
        var first = whole.readNBytes(MAGIC_BYTES);
        whole.unread(first);
        var magic = new String(first, StandardCharsets.ISO_8859_1);
        if (magic.startsWith(GZIP)) {
            return new Gunzip(whole);
        }
        if (magic.startsWith(ZSTD) || magic.startsWith(ZSTD_SKIPPED, 1)) {
            return new Unzstd(whole);
        }
        for (var other : OTHERS.entrySet()) {
            boolean found =
                    magic.startsWith(other.getKey())
                            && (!other.getValue().equals("bzip2") || magic.endsWith(BZIP2_BLOCK));
            if (found) {
                throw new Refusal(
                        new PodException(
                                PodException.Kind.UNSUPPORTED,
                                "it is compressed with %s, which is not read"
                                        .formatted(other.getValue()),
                                "build the image with gzip, zstd or uncompressed layers"));
            }
        }
        return whole;
    }
}
