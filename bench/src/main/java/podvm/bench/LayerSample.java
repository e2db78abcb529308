package podvm.bench;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Random;
import java.util.zip.GZIPOutputStream;

/**
 * A layer to measure with, the same bytes each time: as many entries, as large and as compressible
 * as those of a distribution's image with an interpreter in it.
 *
 * @param files regular files
 * @param median bytes of half of the files at most
 * @param spread standard deviation of the logarithm of their sizes
 * @param least bytes of all files; the last ones grow until it is reached
 */
record LayerSample(String name, int files, int median, double spread, long least) {
    /** Like the mix of Debian's base, Python and its packages: 12,000 files, most of them small. */
    static final LayerSample MIX = new LayerSample("mix", 12_000, 3_000, 2.0, 320L << 20);

    /** Like a layer of compiled programs: few files, each of megabytes. */
    static final LayerSample LARGE = new LayerSample("large", 40, 8 << 20, 0.3, 320L << 20);

    /** One of several that are like the mix and have nothing in common. */
    static LayerSample mix(int number) {
        return new LayerSample("mix" + number, 12_000 + number, 3_000, 2.0, 320L << 20);
    }

    private static final int PER_DIRECTORY = 14;
    private static final int LARGEST = 24 << 20;
    private static final int VERSION = 1;

    /** Packed as image builders do; made once and kept. */
    Path packed(Path cache) throws IOException {
        var file =
                Files.createDirectories(cache.resolve("bench"))
                        .resolve("layer-%s-%d.tar.gz".formatted(name, VERSION));
        if (Files.exists(file)) {
            return file;
        }
        var unfinished = Files.createTempFile(file.getParent(), "layer-", ".part");
        try (var out = new BufferedOutputStream(Files.newOutputStream(unfinished), 1 << 16);
                var packed = new GZIPOutputStream(out, 1 << 16)) {
            write(packed);
        }
        Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
        return file;
    }

    private void write(OutputStream out) throws IOException {
        var tar = new SampleTar(out);
        var random = new Random(files);
        var content = new SampleContent(random);
        long bytes = 0;
        var directory = "";
        for (int file = 0; file < files || bytes < least; file++) {
            if (file % PER_DIRECTORY == 0) {
                directory = "usr/part%d/%d/".formatted(file % 9, file / PER_DIRECTORY);
                tar.directory(directory);
                tar.link(directory + "link", "../some/library.so.%d".formatted(file));
            }
            double wanted = median * Math.exp(random.nextGaussian() * spread);
            int size = (int) Math.min(wanted, LARGEST);
            tar.file(directory + "file%d.%s".formatted(file, content.kind(file)), size);
            content.write(file, size, out);
            tar.pad(size);
            bytes += size;
        }
        tar.end();
    }
}
