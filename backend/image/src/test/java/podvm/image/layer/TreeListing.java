package podvm.image.layer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import podvm.image.ErofsReader;
import podvm.image.content.Sha256;

/**
 * All there is to know of a tree, one line per path: type, mode, owners, time, size, target,
 * device, attributes, content, and which paths share an inode. Names are one char per byte. Sizes
 * and link counts of directories are the file system's own affair and left out.
 */
public final class TreeListing {
    private static final String SCRIPT =
            """
            set -e
            cd "$1"
            find . -printf '%P\\0%y\\0%m\\0%U\\0%G\\0%s\\0%T@\\0%i\\0%l\\0' > "$2/stat"
            find . \\( -type b -o -type c \\) -exec stat --printf '%n\\0%t:%T\\0' {} + > "$2/devices"
            find . -type f -exec sha256sum -z {} + > "$2/content"
            getfattr -R -P -h -d -m - -e hex . > "$2/xattrs" 2>/dev/null || true
            """;

    private TreeListing() {}

    /** Of a directory, as find, stat, sha256sum and getfattr see it. */
    public static Map<String, String> of(Path root) throws Exception {
        var work = Files.createTempDirectory("listing-");
        try {
            run(root, work);
            return of(
                    read(work.resolve("stat")).split("\0", -1),
                    pairs(read(work.resolve("devices"))),
                    contents(read(work.resolve("content"))),
                    xattrs(read(work.resolve("xattrs"))));
        } finally {
            for (var file : List.of("stat", "devices", "content", "xattrs")) {
                Files.deleteIfExists(work.resolve(file));
            }
            Files.delete(work);
        }
    }

    private static Map<String, String> of(
            String[] fields,
            Map<String, String> devices,
            Map<String, String> contents,
            Map<String, TreeMap<String, String>> xattrs) {
        var found = new TreeMap<String, String>();
        var groups = new HashMap<String, String>();
        for (int at = 0; at + 9 <= fields.length; at += 9) {
            var path = fields[at];
            var type = fields[at + 1];
            var time = fields[at + 6].substring(0, fields[at + 6].indexOf('.') + 10);
            found.put(
                    path,
                    line(
                            type,
                            fields[at + 2],
                            fields[at + 3] + ":" + fields[at + 4],
                            type.equals("f") ? fields[at + 5] : "",
                            time,
                            fields[at + 8],
                            devices.getOrDefault("./" + path, ""),
                            xattrs.getOrDefault(path, new TreeMap<>()),
                            contents.getOrDefault("./" + path, ""),
                            "d".equals(type) ? path : fields[at + 7]));
        }
        return grouped(found, groups);
    }

    /** Of an image, as our own reader sees it. */
    public static Map<String, String> ofImage(Path image) throws IOException {
        var found = new TreeMap<String, String>();
        ErofsReader.read(image)
                .forEach((path, node) -> {
                    var type = type(node.type());
                    var xattrs = new TreeMap<String, String>();
                    node.xattrs().forEach((name, value) -> xattrs.put(name, "0x" + hex(value)));
                    boolean device = type.equals("b") || type.equals("c");
                    found.put(
                            path,
                            line(
                                    type,
                                    Integer.toOctalString(node.mode() & 07777),
                                    Integer.toUnsignedString(node.uid())
                                            + ":"
                                            + Integer.toUnsignedString(node.gid()),
                                    type.equals("f") ? "" + node.size() : "",
                                    "%d.%09d".formatted(node.seconds(), node.nanos()),
                                    type.equals("l") ? node.text() : "",
                                    device ? device(node.rdev()) : "",
                                    xattrs,
                                    type.equals("f") ? Sha256.of(node.content()).hex() : "",
                                    "d".equals(type) ? path : "" + node.number()));
                });
        return grouped(found, new HashMap<>());
    }

    private static String line(
            String type,
            String mode,
            String owner,
            String size,
            String time,
            String target,
            String device,
            Map<String, String> xattrs,
            String content,
            String inode) {
        // the inode is replaced by the first path that has it
        return String.join(
                        " ",
                        type,
                        mode,
                        owner,
                        size,
                        time,
                        "->" + target,
                        device,
                        xattrs.toString(),
                        content)
                + "\0"
                + inode;
    }

    private static Map<String, String> grouped(
            Map<String, String> found, Map<String, String> groups) {
        found.forEach((path, line) -> groups.putIfAbsent(line.substring(line.indexOf('\0')), path));
        found.replaceAll((path, line) -> {
            int end = line.indexOf('\0');
            return line.substring(0, end) + " as " + groups.get(line.substring(end));
        });
        return found;
    }

    private static String type(int bits) {
        return switch (bits) {
            case 0100000 -> "f";
            case 0040000 -> "d";
            case 0120000 -> "l";
            case 0020000 -> "c";
            case 0060000 -> "b";
            case 0010000 -> "p";
            default -> "?";
        };
    }

    private static String device(int packed) {
        int major = (packed >> 8) & 0xfff;
        int minor = (packed & 0xff) | ((packed >>> 12) & 0xfff00);
        return "%x:%x".formatted(major, minor);
    }

    private static Map<String, String> pairs(String text) {
        var found = new HashMap<String, String>();
        var parts = text.split("\0");
        for (int at = 0; at + 1 < parts.length; at += 2) {
            found.put(parts[at], parts[at + 1]);
        }
        return found;
    }

    private static Map<String, String> contents(String text) {
        var found = new HashMap<String, String>();
        for (var line : text.split("\0")) {
            if (line.length() > 66) {
                found.put(line.substring(66), line.substring(0, 64));
            }
        }
        return found;
    }

    private static Map<String, TreeMap<String, String>> xattrs(String text) {
        var found = new HashMap<String, TreeMap<String, String>>();
        TreeMap<String, String> current = new TreeMap<>();
        for (var line : text.split("\n")) {
            if (line.startsWith("# file: ")) {
                var name = unescaped(line.substring(8));
                current = new TreeMap<>();
                found.put(name.equals(".") ? "" : name, current);
            } else if (line.contains("=")) {
                int equals = line.indexOf('=');
                var value = line.substring(equals + 1);
                current.put(line.substring(0, equals), value.isEmpty() ? "0x" : value);
            } else if (!line.isBlank()) {
                current.put(line, "0x");
            }
        }
        return found;
    }

    /** getfattr writes some bytes of names as backslash and three octal digits. */
    private static String unescaped(String text) {
        var plain = new StringBuilder();
        for (int at = 0; at < text.length(); at++) {
            if (text.charAt(at) == '\\') {
                plain.append((char) Integer.parseInt(text.substring(at + 1, at + 4), 8));
                at += 3;
            } else {
                plain.append(text.charAt(at));
            }
        }
        return plain.toString();
    }

    private static String hex(String latin) {
        return HexFormat.of().formatHex(latin.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static String read(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.ISO_8859_1);
    }

    private static void run(Path root, Path work) throws Exception {
        var process =
                new ProcessBuilder("sh", "-c", SCRIPT, "list", root.toString(), work.toString())
                        .inheritIO()
                        .start();
        assertThat(process.waitFor(2, TimeUnit.MINUTES) && process.exitValue() == 0)
                .as("listing of %s", root)
                .isTrue();
    }
}
