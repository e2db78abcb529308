package podvm.image.export;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes a tar in the POSIX "ustar" form, with extended headers (pax(1), "pax Extended Header")
 * where that form cannot say what there is. The same entries give the same bytes.
 */
final class TarOutput {
    private static final int BLOCK = 512;
    private static final int NAME = 100;
    private static final long OCTAL_7 = (1L << 21) - 1;
    private static final long OCTAL_11 = (1L << 33) - 1;

    private final OutputStream out;

    TarOutput(OutputStream out) {
        this.out = out;
    }

    /**
     * @param path one char per byte, as all text here
     * @param type as it stands in the header: '0' file, '1' hard link, '2' symbolic link …
     * @param size of the data that follow
     */
    record Entry(
            String path,
            char type,
            int mode,
            int uid,
            int gid,
            long seconds,
            int nanos,
            long size,
            String link,
            int major,
            int minor,
            Map<String, String> attributes) {
        static Entry file(String path, long size) {
            return new Entry(path, '0', 0644, 0, 0, 0, 0, size, "", 0, 0, Map.of());
        }

        static Entry directory(String path) {
            return new Entry(path, '5', 0755, 0, 0, 0, 0, 0, "", 0, 0, Map.of());
        }
    }

    /** After it the caller writes the data, and pads them. */
    void begin(Entry entry) throws IOException {
        var more = new TreeMap<String, String>();
        if (entry.path().length() > NAME) {
            more.put("path", entry.path());
        }
        if (entry.link().length() > NAME) {
            more.put("linkpath", entry.link());
        }
        number(more, "uid", Integer.toUnsignedLong(entry.uid()), OCTAL_7);
        number(more, "gid", Integer.toUnsignedLong(entry.gid()), OCTAL_7);
        number(more, "size", entry.size(), OCTAL_11);
        if (entry.nanos() != 0 || entry.seconds() < 0 || entry.seconds() > OCTAL_11) {
            more.put("mtime", time(entry.seconds(), entry.nanos()));
        }
        entry.attributes().forEach((name, value) -> more.put("SCHILY.xattr." + name, value));
        if (!more.isEmpty()) {
            var body = extended(more);
            out.write(header(Entry.file("PaxHeader", body.length), 'x'));
            out.write(body);
            pad(body.length);
        }
        out.write(header(entry, entry.type()));
    }

    void pad(long written) throws IOException {
        int beyond = (int) (written % BLOCK);
        if (beyond > 0) {
            out.write(new byte[BLOCK - beyond]);
        }
    }

    void end() throws IOException {
        out.write(new byte[2 * BLOCK]);
    }

    private static void number(Map<String, String> more, String key, long value, long most) {
        if (value > most) {
            more.put(key, Long.toString(value));
        }
    }

    /** Before 1970 nanoseconds count forward from the second, decimals backward from zero. */
    private static String time(long seconds, int nanos) {
        if (nanos == 0) {
            return Long.toString(seconds);
        }
        var decimals = "%09d".formatted(seconds < 0 ? 1_000_000_000 - nanos : nanos);
        var whole = seconds < 0 ? "-" + -(seconds + 1) : Long.toString(seconds);
        return whole + "." + decimals;
    }

    private static byte[] extended(Map<String, String> records) {
        var body = new ByteArrayOutputStream();
        records.forEach((key, value) -> {
            int rest = key.length() + value.length() + 3;
            int length = rest + Integer.toString(rest).length();
            if (Integer.toString(length).length() > Integer.toString(rest).length()) {
                length = rest + Integer.toString(length).length();
            }
            body.writeBytes(bytes("%d %s=".formatted(length, key)));
            body.writeBytes(bytes(value));
            body.write('\n');
        });
        return body.toByteArray();
    }

    private static byte[] header(Entry entry, char type) {
        var block = new byte[BLOCK];
        text(block, 0, NAME, entry.path());
        octal(block, 100, 8, entry.mode() & 07777);
        octal(block, 108, 8, atMost(Integer.toUnsignedLong(entry.uid()), OCTAL_7));
        octal(block, 116, 8, atMost(Integer.toUnsignedLong(entry.gid()), OCTAL_7));
        octal(block, 124, 12, atMost(entry.size(), OCTAL_11));
        octal(block, 136, 12, atMost(entry.seconds(), OCTAL_11));
        Arrays.fill(block, 148, 156, (byte) ' ');
        block[156] = (byte) type;
        text(block, 157, NAME, entry.link());
        text(block, 257, 8, "ustar\00000");
        octal(block, 329, 8, entry.major());
        octal(block, 337, 8, entry.minor());
        int sum = 0;
        for (var one : block) {
            sum += one & 0xff;
        }
        octal(block, 148, 7, sum);
        return block;
    }

    /** The extended header has what does not fit. */
    private static long atMost(long value, long most) {
        return value < 0 || value > most ? 0 : value;
    }

    private static void text(byte[] block, int at, int most, String text) {
        var bytes = bytes(text);
        System.arraycopy(bytes, 0, block, at, Math.min(most, bytes.length));
    }

    private static void octal(byte[] block, int at, int bytes, long value) {
        var digits = "%0" + (bytes - 1) + "o";
        text(block, at, bytes - 1, digits.formatted(value));
        block[at + bytes - 1] = 0;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
