package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Image;
import podvm.engine.PodException;
import podvm.engine.Progress;

/** Fills a small file system; needs root to mount it. */
class FullDiskTest {
    private static final long DISK = 4 << 20;

    @TempDir Path directory;

    @BeforeEach
    void mount() throws Exception {
        Tool.need("mount");
        assumeTrue("root".equals(System.getProperty("user.name")), "only root can mount");
        Tool.run("mount", "-t", "tmpfs", "-o", "size=" + DISK, "tmpfs", directory.toString());
    }

    @AfterEach
    void unmount() throws Exception {
        if (!Files.getFileStore(directory).type().equals("tmpfs")) {
            return;
        }
        Tool.run("umount", directory.toString());
    }

    @Test
    void aFullDiskIsToldByNameAndItsSpaceGivenBack() throws Exception {
        var noise = new byte[3 << 20];
        new Random(1).nextBytes(noise);
        var small = new TarBytes().file("small", noise).bytes();
        var large = new TarBytes().file("large", noise).file("more", noise).bytes();
        var options = new ImageOptions(1, Layers.LIMITS, new Image.Platform("linux", "amd64"));
        try (var store = ImageStore.open(directory, options)) {
            long before = free();
            for (int round = 0; round < 2; round++) {
                assertThatThrownBy(() -> load(store, large))
                        .isInstanceOfSatisfying(
                                PodException.class,
                                e -> assertThat(e.kind()).isEqualTo(PodException.Kind.EXHAUSTED))
                        .hasMessageContainingAll("root file system", directory.toString());
                assertThat(free()).isEqualTo(before);
            }
            assertThat(load(store, small)).hasSize(1);
        }
    }

    private static List<Image> load(ImageStore store, byte[] tar) throws Exception {
        return store.load(new ByteArrayInputStream(tar), Optional.of("a"), Progress.NONE);
    }

    private long free() throws Exception {
        return Files.getFileStore(directory).getUsableSpace();
    }
}
