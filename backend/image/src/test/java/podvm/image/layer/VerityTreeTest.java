package podvm.image.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Digest;
import podvm.image.Tool;
import podvm.image.content.Sha256;

class VerityTreeTest {
    private static final Digest CONTENT = Sha256.of(new byte[] {1});

    @TempDir Path directory;

    @Test
    void veritysetupFindsEachTreeRightAndSeesAFlippedBit() throws Exception {
        Tool.need("veritysetup");
        // one block, a full block of hashes and one more, three levels, holes
        for (int blocks : new int[] {1, 2, 127, 128, 129, 300, 128 * 128, 128 * 128 + 1}) {
            var disk = disk(blocks);
            var tree = directory.resolve("tree");
            var root = write(disk, tree);
            verify(disk, tree, root);
            flip(disk, blocks / 2 * 4096L + 77);
            assertThatThrownBy(() -> verify(disk, tree, root)).isInstanceOf(AssertionError.class);
            Files.delete(tree);
        }
    }

    @Test
    void veritysetupMakesTheSameRootHash() throws Exception {
        Tool.need("veritysetup");
        var disk = disk(1000);
        var told =
                Tool.run(
                        "veritysetup",
                        "format",
                        "--salt=" + CONTENT.hex(),
                        disk.toString(),
                        directory.resolve("theirs").toString());
        var root = write(disk, directory.resolve("ours"));
        assertThat(told).contains(root.hex());
        var ours = Files.readAllBytes(directory.resolve("ours"));
        var theirs = Files.readAllBytes(directory.resolve("theirs"));
        // all but the UUID
        Arrays.fill(ours, 16, 32, (byte) 0);
        Arrays.fill(theirs, 16, 32, (byte) 0);
        assertThat(ours).isEqualTo(theirs);
    }

    @Test
    void theSameDiskGivesTheSameTreeAndAnotherContentAnother() throws Exception {
        var disk = disk(200);
        var first = write(disk, directory.resolve("a"));
        assertThat(write(disk, directory.resolve("b"))).isEqualTo(first);
        assertThat(directory.resolve("b")).hasSameBinaryContentAs(directory.resolve("a"));
        flip(disk, 4096 * 199);
        assertThat(write(disk, directory.resolve("c"))).isNotEqualTo(first);
    }

    @Test
    void whatIsNotMadeOfBlocksIsRefused() throws Exception {
        var disk = Files.write(directory.resolve("odd"), new byte[4097]);
        assertThatThrownBy(() -> write(disk, directory.resolve("tree")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("4097");
    }

    private Path disk(int blocks) throws IOException {
        var bytes = new byte[blocks * 4096];
        new Random(blocks).nextBytes(bytes);
        if (blocks > 20) {
            Arrays.fill(bytes, 5 * 4096, 15 * 4096, (byte) 0);
        }
        return Files.write(directory.resolve("disk"), bytes);
    }

    private static Digest write(Path disk, Path tree) throws IOException {
        try (var from = FileChannel.open(disk, StandardOpenOption.READ);
                var to =
                        FileChannel.open(
                                tree, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            return VerityTree.write(from, CONTENT, to);
        }
    }

    private static void verify(Path disk, Path tree, Digest root) throws Exception {
        Tool.run("veritysetup", "verify", disk.toString(), tree.toString(), root.hex());
    }

    private static void flip(Path file, long at) throws IOException {
        var bytes = Files.readAllBytes(file);
        bytes[(int) at] ^= 1;
        Files.write(file, bytes);
    }
}
