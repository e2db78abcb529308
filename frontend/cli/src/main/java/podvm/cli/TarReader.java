package podvm.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Entries of a tar archive: old, ustar, pax and GNU's long names. */
final class TarReader {
    /** Of extended headers: names are no longer than that. */
    private static final int LONGEST_EXTENSION = 1 << 20;

    /** Files, and what has no bytes whatever its size says. */
    private static final String OTHERS = "\0" + "01234567";

    private final InputStream in;

    TarReader(InputStream in) {
        this.in = in;
    }

    /** The next one, whose bytes are to be read before the one after it; empty at the end. */
    Optional<TarHeader> next() throws Failure, IOException {
        var extended = new HashMap<String, String>();
        while (true) {
            var block = in.readNBytes(TarHeader.BLOCK);
            if (block.length == 0 || Arrays.equals(block, new byte[TarHeader.BLOCK])) {
                // what follows the archive is padding, which whoever writes it may wait to be rid
                // of
                in.transferTo(OutputStream.nullOutputStream());
                return Optional.empty();
            }
            if (block.length < TarHeader.BLOCK || !TarHeader.sound(block)) {
                throw Failure.of(
                        "standard input is no tar archive, or is damaged",
                        "make it with tar c; a compressed one is to be unpacked, as by zcat");
            }
            char type = (char) block[156];
            long size = number(extended, "size", octal(block, 124, 12));
            switch (type) {
                case 'x' -> pax(extension(size), extended);
                case 'g' -> extension(size);
                case 'L' -> extended.put("path", zeroed(extension(size)));
                case 'K' -> extended.put("linkpath", zeroed(extension(size)));
                default -> {
                    if (OTHERS.indexOf(type) < 0) {
                        in.skipNBytes(size);
                        skipPadding(size);
                    }
                    return Optional.of(header(block, type, size, extended));
                }
            }
        }
    }

    private static TarHeader header(
            byte[] block, char type, long size, Map<String, String> extended) {
        var prefix = text(block, 257, 5).equals("ustar") ? text(block, 345, 155) : "";
        var name = (prefix.isEmpty() ? "" : prefix + "/") + text(block, 0, 100);
        var modified = octal(block, 136, 12) * 1_000_000_000L;
        var time = extended.get("mtime");
        boolean known = time != null && time.matches("-?\\d{1,11}(\\.\\d{1,20})?");
        boolean file = type == '0' || type == 0 || type == '7';
        var path = extended.getOrDefault("path", name);
        return new TarHeader(
                path,
                // the oldest archives tell directories by that alone
                file ? path.endsWith("/") ? '5' : '0' : type,
                extended.getOrDefault("linkpath", text(block, 157, 100)),
                (int) octal(block, 100, 8) & 07777,
                (int) number(extended, "uid", octal(block, 108, 8)),
                (int) number(extended, "gid", octal(block, 116, 8)),
                file ? size : 0,
                known ? new BigDecimal(time).movePointRight(9).longValue() : modified);
    }

    private static long number(Map<String, String> extended, String key, long otherwise) {
        var text = extended.get(key);
        return text != null && text.matches("\\d{1,18}") ? Long.parseLong(text) : otherwise;
    }

    private byte[] extension(long size) throws Failure, IOException {
        if (size < 0 || size > LONGEST_EXTENSION) {
            throw Failure.of("an entry of the tar archive has a name of " + size + " bytes", "");
        }
        var bytes = in.readNBytes((int) size);
        skipPadding(size);
        return bytes;
    }

    /** To be called when an entry's bytes have been read. */
    void skipPadding(long size) throws IOException {
        in.skipNBytes(TarHeader.padding(size));
    }

    private static void pax(byte[] records, Map<String, String> extended) {
        for (int at = 0; at < records.length; ) {
            int blank = at;
            while (blank < records.length && records[blank] != ' ') {
                blank++;
            }
            var length = new String(records, at, blank - at, UTF_8);
            if (!length.matches("[1-9]\\d{0,6}")
                    || at + Integer.parseInt(length) > records.length) {
                return;
            }
            int end = at + Integer.parseInt(length);
            if (end <= blank + 1) {
                return;
            }
            var record = new String(records, blank + 1, end - blank - 2, UTF_8);
            int equals = record.indexOf('=');
            if (equals > 0) {
                extended.put(record.substring(0, equals), record.substring(equals + 1));
            }
            at = end;
        }
    }

    private static String text(byte[] block, int at, int width) {
        return zeroed(Arrays.copyOfRange(block, at, at + width));
    }

    private static String zeroed(byte[] bytes) {
        int end = 0;
        while (end < bytes.length && bytes[end] != 0) {
            end++;
        }
        return new String(bytes, 0, end, UTF_8);
    }

    /** Octal digits; or, where the first bit is set, GNU's big-endian number. */
    private static long octal(byte[] block, int at, int width) {
        if ((block[at] & 0x80) != 0) {
            return ByteBuffer.wrap(block, at + width - 8, 8).getLong();
        }
        var digits = text(block, at, width).strip();
        return digits.matches("[0-7]{1,20}") ? Long.parseLong(digits, 8) : 0;
    }
}
