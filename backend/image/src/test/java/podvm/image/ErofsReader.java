package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32C;

/**
 * Reads an image back as Linux 6.1 does, and checks on the way what that kernel relies on: names in
 * order, data inside the image, nothing inline that crosses a block. Names are one char per byte.
 */
public final class ErofsReader {
    public record Node(
            long number,
            int mode,
            int uid,
            int gid,
            long seconds,
            int nanos,
            int links,
            long size,
            int rdev,
            int layout,
            byte[] content,
            Map<String, String> xattrs) {
        public String text() {
            return new String(content, StandardCharsets.ISO_8859_1);
        }

        public int type() {
            return mode & 0170000;
        }
    }

    private static final List<String> SPACES =
            List.of(
                    "",
                    "user.",
                    "system.posix_acl_access",
                    "system.posix_acl_default",
                    "trusted.",
                    "",
                    "security.");

    private final ByteBuffer image;
    private final long metadata;
    private final Map<String, Node> nodes = new TreeMap<>();
    private final HashSet<Long> directories = new HashSet<>();

    private ErofsReader(byte[] bytes) {
        image = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(image.getInt(1024)).isEqualTo(0xE0F5E1E2);
        assertThat(image.getInt(1024 + 80)).as("incompatible features").isZero();
        assertThat(image.get(1024 + 12)).isEqualTo((byte) 12);
        var first = Arrays.copyOfRange(bytes, 1024, 4096);
        Arrays.fill(first, 4, 8, (byte) 0);
        var crc = new CRC32C();
        crc.update(first);
        assertThat(image.getInt(1024 + 4)).as("checksum").isEqualTo(~(int) crc.getValue());
        assertThat(image.getInt(1024 + 36) * 4096L).as("blocks").isEqualTo(bytes.length);
        metadata = Integer.toUnsignedLong(image.getInt(1024 + 40)) * 4096;
        int root = Short.toUnsignedInt(image.getShort(1024 + 14));
        read("", root, root);
        assertThat(image.getLong(1024 + 16))
                .as("inodes")
                .isEqualTo(nodes.values().stream().map(Node::number).distinct().count());
    }

    /** All that is in the image by path; the root is "". */
    public static Map<String, Node> read(Path file) throws IOException {
        return new ErofsReader(Files.readAllBytes(file)).nodes;
    }

    public static Map<String, Node> read(byte[] image) {
        return new ErofsReader(image).nodes;
    }

    private void read(String path, long number, long parent) {
        var node = node(number);
        assertThat(nodes.put(path, node)).as("%s twice", path).isNull();
        if (node.type() != 0040000) {
            return;
        }
        assertThat(directories.add(number)).as("%s is reached twice", path).isTrue();
        String before = null;
        for (var entry : entries(node.content())) {
            if (before != null) {
                assertThat(before).isLessThan(entry.name);
            }
            before = entry.name;
            switch (entry.name) {
                case "." -> assertThat(entry.number).isEqualTo(number);
                case ".." -> assertThat(entry.number).isEqualTo(parent);
                default -> {
                    read(
                            path.isEmpty() ? entry.name : path + "/" + entry.name,
                            entry.number,
                            number);
                    assertThat((int) entry.type).isEqualTo(entryType(node(entry.number).type()));
                }
            }
        }
    }

    private Node node(long number) {
        int at = Math.toIntExact(metadata + number * 32);
        int format = Short.toUnsignedInt(image.getShort(at));
        int layout = format >> 1;
        assertThat(format & 1).as("extended").isEqualTo(1);
        int units = Short.toUnsignedInt(image.getShort(at + 2));
        int xattrBytes = units == 0 ? 0 : 12 + (units - 1) * 4;
        int mode = Short.toUnsignedInt(image.getShort(at + 4));
        long size = image.getLong(at + 8);
        int union = image.getInt(at + 16);
        int start;
        if (layout == 2) {
            start = at + 64 + xattrBytes;
            assertThat(size).isPositive();
            assertThat(start / 4096).isEqualTo((int) (start + size - 1) / 4096);
        } else {
            assertThat(layout).isZero();
            start = union * 4096;
        }
        int type = mode & 0170000;
        boolean data = type == 0100000 || type == 0040000 || type == 0120000;
        var content = new byte[data ? Math.toIntExact(size) : 0];
        if (content.length > 0) {
            image.get(start, content);
        }
        return new Node(
                number,
                mode,
                image.getInt(at + 24),
                image.getInt(at + 28),
                image.getLong(at + 32),
                image.getInt(at + 40),
                image.getInt(at + 44),
                size,
                data ? 0 : union,
                layout,
                content,
                xattrs(at + 64, xattrBytes));
    }

    private Map<String, String> xattrs(int start, int bytes) {
        var found = new TreeMap<String, String>();
        int end = start + bytes;
        for (int at = start + 12; at < end; ) {
            int nameLength = Byte.toUnsignedInt(image.get(at));
            int space = image.get(at + 1);
            int valueLength = Short.toUnsignedInt(image.getShort(at + 2));
            var name = new byte[nameLength];
            image.get(at + 4, name);
            var value = new byte[valueLength];
            image.get(at + 4 + nameLength, value);
            found.put(
                    SPACES.get(space) + new String(name, StandardCharsets.ISO_8859_1),
                    new String(value, StandardCharsets.ISO_8859_1));
            at += (4 + nameLength + valueLength + 3) & ~3;
        }
        return found;
    }

    private record Entry(long number, byte type, String name) {}

    private static List<Entry> entries(byte[] content) {
        var found = new ArrayList<Entry>();
        for (int block = 0; block < content.length; block += 4096) {
            var part =
                    ByteBuffer.wrap(
                                    Arrays.copyOfRange(
                                            content, block, Math.min(block + 4096, content.length)))
                            .order(ByteOrder.LITTLE_ENDIAN);
            int count = Short.toUnsignedInt(part.getShort(8)) / 12;
            for (int at = 0; at < count; at++) {
                int from = Short.toUnsignedInt(part.getShort(at * 12 + 8));
                int to =
                        at + 1 < count
                                ? Short.toUnsignedInt(part.getShort(at * 12 + 20))
                                : lastEnd(part, from);
                found.add(
                        new Entry(
                                part.getLong(at * 12),
                                part.get(at * 12 + 10),
                                new String(
                                        part.array(),
                                        from,
                                        to - from,
                                        StandardCharsets.ISO_8859_1)));
            }
        }
        return found;
    }

    private static int lastEnd(ByteBuffer block, int from) {
        int to = from;
        while (to < block.limit() && block.get(to) != 0) {
            to++;
        }
        return to;
    }

    private static int entryType(int type) {
        return switch (type) {
            case 0100000 -> 1;
            case 0040000 -> 2;
            case 0020000 -> 3;
            case 0060000 -> 4;
            case 0010000 -> 5;
            case 0120000 -> 7;
            default -> throw new AssertionError("type " + type);
        };
    }
}
