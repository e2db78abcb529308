package podvm.image.layer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import podvm.image.Tool;

/** Fills a directory with whatever a layer may hold. */
final class RandomTree {
    private RandomTree() {}

    static void plant(Path root, Random random) throws Exception {
        var directories = new ArrayList<>(List.of(root));
        var files = new ArrayList<Path>();
        var made = new ArrayList<Path>();
        for (int at = 0; at < 400; at++) {
            var path =
                    directories.get(random.nextInt(directories.size())).resolve(name(at, random));
            make(path, random, directories, files);
            if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
                made.add(path);
            }
        }
        // what is made in a directory changes its time: the last ones first
        for (var path : made.reversed()) {
            describe(path, random);
        }
    }

    private static void make(Path path, Random random, List<Path> directories, List<Path> files)
            throws Exception {
        switch (random.nextInt(9)) {
            case 0, 1 -> directories.add(Files.createDirectory(path));
            case 2 -> Files.createSymbolicLink(path, Path.of("t".repeat(1 + random.nextInt(200))));
            case 3 -> {
                if (!files.isEmpty()) {
                    Files.createLink(path, files.get(random.nextInt(files.size())));
                }
            }
            case 4 ->
                    Tool.run(
                            "mknod",
                            path.toString(),
                            random.nextBoolean() ? "c" : "b",
                            "" + (1 + random.nextInt(500)),
                            "" + random.nextInt(600));
            case 5 -> Tool.run("mkfifo", path.toString());
            default -> {
                var content = new byte[random.nextInt(4) * random.nextInt(5000)];
                random.nextBytes(content);
                if (random.nextInt(3) == 0) {
                    Arrays.fill(content, (byte) 0);
                }
                files.add(Files.write(path, content));
                if (random.nextInt(4) == 0) {
                    Files.setAttribute(
                            path,
                            "user:note" + random.nextInt(3),
                            Arrays.copyOf(content, random.nextInt(300)));
                }
            }
        }
    }

    private static String name(int at, Random random) {
        var letters = List.of("a", "-", ".", " ", "~", "!", "Z", "%", "\\");
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
        // a pipe or a device would be opened for it
        if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
                || Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            var time = Instant.ofEpochSecond(random.nextInt(), random.nextInt(1_000_000_000));
            Files.setLastModifiedTime(path, FileTime.from(time));
        }
    }
}
