package podvm.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * One entry of a tar archive, as POSIX.1-2001 (pax) writes it: what does not fit into the block of
 * old is said in an extended header before it.
 *
 * @param name directories end with a slash
 * @param type the block's letter: '0' a file, '5' a directory, '2' and '1' links, '6' a pipe
 */
record TarHeader(
        String name,
        char type,
        String target,
        int mode,
        int uid,
        int gid,
        long size,
        long modifiedNanos) {
    static final int BLOCK = 512;
    private static final int NAME = 100;
    private static final int NUMBER = 8;
    private static final int LARGE = 12;
    private static final int CHECKSUM = 148;
    private static final long SECOND = 1_000_000_000;
    private static final long OCTAL_11 = 1L << 33;
    private static final int OCTAL_7 = 1 << 21;

    void write(OutputStream out) throws IOException {
        var extended = extended();
        if (!extended.isEmpty()) {
            var records = records(extended);
            block(out, "pax", 'x', records.length);
            out.write(records);
            pad(out, records.length);
        }
        block(out, name, type, size);
    }

    private Map<String, String> extended() {
        var all = new LinkedHashMap<String, String>();
        if (!plain(name)) {
            all.put("path", name);
        }
        if (!plain(target)) {
            all.put("linkpath", target);
        }
        if (size >= OCTAL_11) {
            all.put("size", Long.toString(size));
        }
        if (uid < 0 || uid >= OCTAL_7) {
            all.put("uid", Integer.toUnsignedString(uid));
        }
        if (gid < 0 || gid >= OCTAL_7) {
            all.put("gid", Integer.toUnsignedString(gid));
        }
        if (modifiedNanos < 0 || modifiedNanos / SECOND >= OCTAL_11) {
            all.put("mtime", Long.toString(Math.floorDiv(modifiedNanos, SECOND)));
        }
        return all;
    }

    private static boolean plain(String text) {
        return text.length() <= NAME && text.chars().allMatch(one -> one < 0x7f);
    }

    /** Each begins with its own length, which counts its digits too. */
    private static byte[] records(Map<String, String> extended) throws IOException {
        var all = new ByteArrayOutputStream();
        for (var one : extended.entrySet()) {
            var rest = (" " + one.getKey() + "=" + one.getValue() + "\n").getBytes(UTF_8);
            int length = rest.length + 1;
            while (Integer.toString(length).length() + rest.length != length) {
                length++;
            }
            all.write(Integer.toString(length).getBytes(UTF_8));
            all.write(rest);
        }
        return all.toByteArray();
    }

    private void block(OutputStream out, String shown, char kind, long bytes) throws IOException {
        var block = ByteBuffer.allocate(BLOCK);
        text(block, 0, shown);
        octal(block, 100, NUMBER, mode);
        octal(block, 108, NUMBER, uid < 0 || uid >= OCTAL_7 ? 0 : uid);
        octal(block, 116, NUMBER, gid < 0 || gid >= OCTAL_7 ? 0 : gid);
        octal(block, 124, LARGE, bytes >= OCTAL_11 ? 0 : bytes);
        var seconds = Math.clamp(Math.floorDiv(modifiedNanos, SECOND), 0, OCTAL_11 - 1);
        octal(block, 136, LARGE, seconds);
        block.put(156, (byte) kind);
        text(block, 157, kind == 'x' ? "" : target);
        block.put(257, "ustar\00000".getBytes(UTF_8));
        // the sum is made with blanks in its own place
        block.put(CHECKSUM, "        ".getBytes(UTF_8));
        int sum = 0;
        for (var one : block.array()) {
            sum += one & 0xff;
        }
        block.put(CHECKSUM, "%06o\0 ".formatted(sum).getBytes(UTF_8));
        out.write(block.array());
    }

    private static void text(ByteBuffer block, int at, String text) {
        var bytes = text.getBytes(UTF_8);
        block.put(at, bytes, 0, Math.min(bytes.length, NAME));
    }

    private static void octal(ByteBuffer block, int at, int width, long value) {
        block.put(at, "%0".concat(width - 1 + "o").formatted(value).getBytes(UTF_8));
    }

    /** What is missing to a whole block. */
    static void pad(OutputStream out, long size) throws IOException {
        out.write(new byte[(int) padding(size)]);
    }

    static long padding(long size) {
        return (BLOCK - size % BLOCK) % BLOCK;
    }

    /** Whether a block is of an archive: its sum is right. */
    static boolean sound(byte[] block) {
        var copy = block.clone();
        Arrays.fill(copy, CHECKSUM, CHECKSUM + NUMBER, (byte) ' ');
        int sum = 0;
        for (var one : copy) {
            sum += one & 0xff;
        }
        var told = new String(block, CHECKSUM, NUMBER, UTF_8).replaceAll("[\\s\\x00]+", "");
        return told.matches("[0-7]{1,7}") && Integer.parseInt(told, 8) == sum;
    }
}
