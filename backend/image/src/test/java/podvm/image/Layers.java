package podvm.image;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import podvm.engine.Image;
import podvm.engine.PodException;
import podvm.image.content.Refusal;
import podvm.image.layer.LayerLimits;
import podvm.image.layer.LayerWriter;

/** Turns tar into images for tests, which see the finding itself when it is refused. */
public final class Layers {
    public static final LayerLimits LIMITS = new LayerLimits(200_000, 16 << 20, 1L << 40);

    /** Of a store on a machine of the kind that the tests' images are for. */
    static final ImageOptions OPTIONS =
            new ImageOptions(3, LIMITS, new Image.Platform("linux", "amd64"));

    private Layers() {}

    public static Map<String, ErofsReader.Node> read(TarBytes tar)
            throws IOException, PodException {
        return read(tar.bytes());
    }

    public static Map<String, ErofsReader.Node> read(byte[] tar) throws IOException, PodException {
        return ErofsReader.read(image(tar));
    }

    public static byte[] image(byte[] tar) throws IOException, PodException {
        var file = Files.createTempFile("layer-", ".erofs");
        try {
            write(new ByteArrayInputStream(tar), file, LIMITS);
            return Files.readAllBytes(file);
        } finally {
            Files.delete(file);
        }
    }

    public static long write(InputStream tar, Path file, LayerLimits limits)
            throws IOException, PodException {
        try (var channel =
                FileChannel.open(
                        file,
                        StandardOpenOption.WRITE,
                        StandardOpenOption.CREATE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            return new LayerWriter(limits).write(tar, channel).bytes();
        } catch (Refusal e) {
            throw e.finding();
        }
    }
}
