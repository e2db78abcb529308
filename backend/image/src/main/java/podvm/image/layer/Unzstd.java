package podvm.image.layer;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdIOException;
import com.github.luben.zstd.ZstdInputStreamNoFinalizer;
import java.io.IOException;
import java.io.InputStream;
import podvm.engine.PodException;
import podvm.image.content.BulkStream;
import podvm.image.content.Refusal;

/**
 * Unpacks zstd (RFC 8878), as many frames as there are. The library's native part is loaded when
 * the first such layer comes.
 */
final class Unzstd extends BulkStream {
    private final InputStream in;

    /**
     * Memory that data may ask for, as a power of two: 32 MiB, four times what the RFC recommends
     * (section 3.1.1.1.2). Only the highest levels with "--ultra" or "--long" ask for more.
     */
    private static final int LARGEST_WINDOW = 25;

    Unzstd(InputStream raw) throws IOException {
        this.in = new ZstdInputStreamNoFinalizer(raw).setLongMax(LARGEST_WINDOW);
    }

    @Override
    public int read(byte[] target, int from, int length) throws IOException {
        try {
            return in.read(target, from, length);
        } catch (ZstdIOException e) {
            if (e.getErrorCode() == Zstd.errFrameParameterWindowTooLarge()) {
                throw new Refusal(
                        new PodException(
                                PodException.Kind.UNSUPPORTED,
                                "its zstd data asks for more than %d MiB of memory to unpack it"
                                        .formatted((1 << LARGEST_WINDOW) >> 20),
                                "build the image with a lower level of compression",
                                e));
            }
            throw Refusal.corrupt("zstd data is damaged: " + e.getMessage());
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
