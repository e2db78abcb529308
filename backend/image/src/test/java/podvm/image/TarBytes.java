package podvm.image;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

/** Writes tar by hand, right or wrong as a test wants it. */
public final class TarBytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    /** What the next entry shall have; reset after each. */
    private final Map<String, byte[]> pax = new LinkedHashMap<>();

    private int mode = 0644;
    private long uid;
    private long gid;
    private long seconds = 1_000_000_000;
    private int major;
    private int minor;
    private long lie = Long.MIN_VALUE;

    public TarBytes mode(int value) {
        mode = value;
        return this;
    }

    public TarBytes owner(long newUid, long newGid) {
        uid = newUid;
        gid = newGid;
        return this;
    }

    public TarBytes seconds(long value) {
        seconds = value;
        return this;
    }

    public TarBytes pax(String key, String value) {
        return pax(key, latin(value));
    }

    public TarBytes pax(String key, byte[] value) {
        pax.put(key, value);
        return this;
    }

    public TarBytes announce(long size) {
        lie = size;
        return this;
    }

    public TarBytes file(String name, String content) {
        return file(name, latin(content));
    }

    public TarBytes file(String name, byte[] content) {
        return entry('0', name, "", content);
    }

    public TarBytes directory(String name) {
        if (mode == 0644) {
            mode = 0755;
        }
        return entry('5', name, "", new byte[0]);
    }

    public TarBytes symlink(String name, String target) {
        mode = 0777;
        return entry('2', name, target, new byte[0]);
    }

    public TarBytes hardLink(String name, String target) {
        return entry('1', name, target, new byte[0]);
    }

    public TarBytes device(char type, String name, int newMajor, int newMinor) {
        major = newMajor;
        minor = newMinor;
        return entry(type, name, "", new byte[0]);
    }

    public TarBytes entry(char type, String name, String link, byte[] content) {
        if (latin(name).length > 100) {
            pax("path", name);
        }
        if (latin(link).length > 100) {
            pax("linkpath", link);
        }
        if (!pax.isEmpty()) {
            var records = new ByteArrayOutputStream();
            pax.forEach((key, value) -> records.writeBytes(record(key, value)));
            pax.clear();
            header('x', "pax", "", records.size());
            data(records.toByteArray());
        }
        header(type, name, link, lie != Long.MIN_VALUE ? lie : content.length);
        data(content);
        mode = 0644;
        uid = 0;
        gid = 0;
        seconds = 1_000_000_000;
        major = 0;
        minor = 0;
        lie = Long.MIN_VALUE;
        return this;
    }

    public TarBytes raw(byte[] bytes) {
        out.writeBytes(bytes);
        return this;
    }

    public void data(byte[] content) {
        out.writeBytes(content);
        out.writeBytes(new byte[-content.length & 511]);
    }

    public byte[] unfinished() {
        return out.toByteArray();
    }

    public byte[] bytes() {
        var whole = new ByteArrayOutputStream();
        whole.writeBytes(out.toByteArray());
        whole.writeBytes(new byte[1024]);
        return whole.toByteArray();
    }

    public InputStream stream() {
        return new ByteArrayInputStream(bytes());
    }

    public static byte[] gzip(byte[] content) throws java.io.IOException {
        var packed = new ByteArrayOutputStream();
        try (var gzip = new GZIPOutputStream(packed)) {
            gzip.write(content);
        }
        return packed.toByteArray();
    }

    public void header(char type, String name, String link, long size) {
        var block = new byte[512];
        put(block, 0, 100, latin(name));
        octal(block, 100, 8, mode);
        number(block, 108, 8, uid);
        number(block, 116, 8, gid);
        number(block, 124, 12, size);
        number(block, 136, 12, seconds);
        block[156] = (byte) type;
        put(block, 157, 100, latin(link));
        put(block, 257, 8, latin("ustar\00000"));
        octal(block, 329, 8, major);
        octal(block, 337, 8, minor);
        seal(block);
        out.writeBytes(block);
    }

    public static void seal(byte[] block) {
        put(block, 148, 8, latin("        "));
        int sum = 0;
        for (byte octet : block) {
            sum += octet & 0xff;
        }
        put(block, 148, 8, latin("%06o\0 ".formatted(sum)));
    }

    public static void octal(byte[] block, int at, int length, long value) {
        put(block, at, length, latin(("%0" + (length - 1) + "o").formatted(value)));
    }

    /** Octal where it fits, else GNU's binary form. */
    private static void number(byte[] block, int at, int length, long value) {
        if (value >= 0 && value < 1L << 3 * (length - 1)) {
            octal(block, at, length, value);
            return;
        }
        for (int from = at + length - 1, shift = 0; from >= at; from--, shift += 8) {
            block[from] = (byte) (shift < 64 ? value >> shift : value >> 63);
        }
        block[at] |= (byte) 0x80;
    }

    private static byte[] record(String key, byte[] value) {
        int body = key.length() + value.length + 3;
        int length = body + 1;
        while (body + String.valueOf(length).length() != length) {
            length = body + String.valueOf(length).length();
        }
        var record = new ByteArrayOutputStream();
        record.writeBytes(latin(length + " " + key + "="));
        record.writeBytes(value);
        record.write('\n');
        return record.toByteArray();
    }

    private static void put(byte[] block, int at, int length, byte[] bytes) {
        System.arraycopy(bytes, 0, block, at, Math.min(length, bytes.length));
    }

    public static byte[] latin(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
