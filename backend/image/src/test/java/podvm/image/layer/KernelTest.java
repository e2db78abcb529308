package podvm.image.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.image.Layers;
import podvm.image.Sha256;
import podvm.image.Tool;

/**
 * Compares what a kernel sees in an image with what tar unpacks. Needs root, and a kernel that can
 * mount EROFS; fsck.erofs looks at the same images.
 */
class KernelTest {
    @TempDir Path directory;

    @BeforeAll
    static void needs() throws Exception {
        Tool.need("tar");
        Tool.need("mount");
        Tool.need("fsck.erofs");
        assumeTrue("root".equals(System.getProperty("user.name")), "only root can mount");
        assumeTrue(
                Files.readString(Path.of("/proc/filesystems")).contains("erofs"),
                "this kernel has no erofs");
    }

    @Test
    void theKernelSeesWhatTarUnpacksInRandomTrees() throws Exception {
        for (int seed = 1; seed <= 4; seed++) {
            var random = new Random(seed);
            var tree = Files.createDirectory(directory.resolve("tree" + seed));
            plant(tree, random);
            var tar = directory.resolve(seed + ".tar");
            var format = List.of("gnu", "pax", "gnu", "pax").get(seed - 1);
            Tool.run(
                    "tar",
                    "-C",
                    tree.toString(),
                    "--format=" + format,
                    "--xattrs",
                    "--xattrs-include=*",
                    "--acls",
                    "--sparse",
                    "-cf",
                    tar.toString(),
                    ".");
            assertSame(tar, seed);
        }
    }

    private void assertSame(Path tar, int seed) throws Exception {
        var unpacked = Files.createDirectory(directory.resolve("unpacked" + seed));
        Tool.run(
                "tar",
                "-C",
                unpacked.toString(),
                "--xattrs",
                "--xattrs-include=*",
                "-xpf",
                tar.toString());
        var image = directory.resolve(seed + ".erofs");
        try (var in = Files.newInputStream(tar)) {
            Layers.write(in, image, Layers.LIMITS);
        }
        Tool.run("fsck.erofs", image.toString());
        var mounted = Files.createDirectory(directory.resolve("mounted" + seed));
        Tool.run("mount", "-t", "erofs", "-o", "loop,ro", image.toString(), mounted.toString());
        try {
            var expected = listing(unpacked);
            assertThat(expected).hasSizeGreaterThan(100);
            assertThat(listing(mounted)).as("seed %d", seed).isEqualTo(expected);
        } finally {
            Tool.run("umount", mounted.toString());
        }
    }

    private static void plant(Path root, Random random) throws Exception {
        var directories = new ArrayList<>(List.of(root));
        var files = new ArrayList<Path>();
        for (int at = 0; at < 400; at++) {
            var path =
                    directories.get(random.nextInt(directories.size())).resolve(name(at, random));
            switch (random.nextInt(8)) {
                case 0, 1 -> directories.add(Files.createDirectory(path));
                case 2 ->
                        Files.createSymbolicLink(
                                path, Path.of("t".repeat(1 + random.nextInt(200))));
                case 3 -> {
                    if (!files.isEmpty()) {
                        Files.createLink(path, files.get(random.nextInt(files.size())));
                    }
                }
                case 4 -> Tool.run("mknod", path.toString(), "c", "5", "" + random.nextInt(600));
                default -> {
                    var content = new byte[random.nextInt(4) * random.nextInt(5000)];
                    random.nextBytes(content);
                    files.add(Files.write(path, content));
                    if (random.nextInt(4) == 0) {
                        Files.setAttribute(
                                path,
                                "user:note" + random.nextInt(3),
                                Arrays.copyOf(content, random.nextInt(300)));
                    }
                }
            }
            if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                describe(path, random);
            }
        }
    }

    private static String name(int at, Random random) {
        var letters = List.of("a", "-", ".", "é", "~", "!", "Z", "長");
        var name = new StringBuilder();
        for (int length = random.nextInt(1, 40); length > 0; length--) {
            name.append(letters.get(random.nextInt(letters.size())));
        }
        return name.append(at).toString();
    }

    private static void describe(Path path, Random random) throws IOException {
        Files.setAttribute(path, "unix:uid", random.nextInt(100_000), LinkOption.NOFOLLOW_LINKS);
        Files.setAttribute(path, "unix:gid", random.nextInt(100_000), LinkOption.NOFOLLOW_LINKS);
        if (!Files.isSymbolicLink(path)) {
            Files.setAttribute(path, "unix:mode", random.nextInt(010000) | 0500);
        }
    }

    private static Map<String, String> listing(Path root) throws Exception {
        var found = new TreeMap<String, String>();
        try (Stream<Path> walk = Files.walk(root)) {
            for (var path : walk.toList()) {
                found.put(root.relativize(path).toString(), shown(path));
            }
        }
        return found;
    }

    /** All that lstat tells but inode and device, the attributes and the content. */
    private static String shown(Path path) throws IOException {
        var all = Files.readAttributes(path, "unix:*", LinkOption.NOFOLLOW_LINKS);
        boolean directory = Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
        var shown = new StringBuilder();
        for (var key : List.of("mode", "uid", "gid", "nlink", "rdev", "lastModifiedTime")) {
            shown.append(key).append('=').append(all.get(key)).append(' ');
        }
        if (Files.isSymbolicLink(path)) {
            return shown.append(Files.readSymbolicLink(path)).toString();
        }
        if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            shown.append(Sha256.of(Files.readAllBytes(path)));
        }
        if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS) || directory) {
            var view = Files.getFileAttributeView(path, UserDefinedFileAttributeView.class);
            for (var name : view.list().stream().sorted().toList()) {
                var value = ByteBuffer.allocate(view.size(name));
                view.read(name, value);
                shown.append(' ').append(name).append('=').append(Arrays.toString(value.array()));
            }
        }
        return shown.toString();
    }
}
