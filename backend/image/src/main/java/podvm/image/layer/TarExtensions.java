package podvm.image.layer;

import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import podvm.image.content.Refusal;
import podvm.image.content.Shown;

/** What precedes an entry to override or extend its header. */
final class TarExtensions {
    private static final String XATTR = "SCHILY.xattr.";
    private static final String ACCESS_ACL = "SCHILY.acl.access";
    private static final String DEFAULT_ACL = "SCHILY.acl.default";
    private static final long[] DENSE = {};
    private static final BigInteger BILLION = BigInteger.valueOf(1_000_000_000);
    private static final int MOST_PIECES = 1_000_000;

    /** What is not in here means nothing to an image, or could fill the memory. */
    private static final Set<String> KNOWN =
            Set.of(
                    "path",
                    "linkpath",
                    "size",
                    "uid",
                    "gid",
                    "mtime",
                    ACCESS_ACL,
                    DEFAULT_ACL,
                    "GNU.sparse.name",
                    "GNU.sparse.major");

    /** Values one char per byte; a number of POSIX pax is decimal text. */
    private final Map<String, String> records = new HashMap<>();

    /** Below what the 16 bit count of EROFS can tell: 65,535 times four bytes. */
    private static final int MOST_XATTR_BYTES = 128 << 10;

    private int xattrBytes;
    private final List<Xattr> xattrs = new ArrayList<>();
    private byte @Nullable [] longName;
    private byte @Nullable [] longLink;
    private long @Nullable [] pieces;
    private int pieceCount;
    private long sparseSize = -1;

    void longName(byte[] bytes) {
        longName = untilNul(bytes);
    }

    void longLink(byte[] bytes) {
        longLink = untilNul(bytes);
    }

    /** Records are "length key=value\n", the length counting itself. */
    void pax(byte[] bytes) throws IOException {
        var text = new String(bytes, StandardCharsets.ISO_8859_1);
        int at = 0;
        while (at < text.length()) {
            int space = text.indexOf(' ', at);
            int length = space < 0 || space - at > 7 ? 0 : (int) decimal(text.substring(at, space));
            int end = at + length;
            int equals = text.indexOf('=', Math.max(space, at));
            if (end > text.length()
                    || end <= space
                    || equals < 0
                    || equals >= end - 1
                    || text.charAt(end - 1) != '\n') {
                throw Refusal.corrupt("PAX header has a malformed record at its byte " + at);
            }
            record(text.substring(space + 1, equals), text.substring(equals + 1, end - 1));
            at = end;
        }
    }

    private void record(String key, String value) throws IOException {
        switch (key) {
            case "GNU.sparse.offset" -> piece(decimal(value), 0);
            case "GNU.sparse.numbytes" -> lastPieceLength(decimal(value));
            case "GNU.sparse.map" -> sparseList(value);
            case "GNU.sparse.size", "GNU.sparse.realsize" -> sparseSize = decimal(value);
            default -> {
                if (key.startsWith(XATTR)) {
                    xattr(key.substring(XATTR.length()), value);
                } else if (KNOWN.contains(key)) {
                    records.put(key, value);
                }
            }
        }
    }

    private void xattr(String name, String value) throws IOException {
        if (value.length() > Xattr.LARGEST_VALUE) {
            throw Refusal.corrupt(
                    "extended attribute %s has %d bytes; at most %d fit"
                            .formatted(
                                    Shown.name(name.getBytes(StandardCharsets.ISO_8859_1)),
                                    value.length(),
                                    Xattr.LARGEST_VALUE));
        }
        xattrBytes += name.length() + value.length() + 8;
        if (xattrBytes > MOST_XATTR_BYTES) {
            throw Refusal.corrupt(
                    "tar entry has more than %d bytes of extended attributes"
                            .formatted(MOST_XATTR_BYTES));
        }
        Xattr.of(name, value)
                .ifPresent(xattr -> {
                    xattrs.removeIf(xattr::isNamedAs);
                    xattrs.add(xattr);
                });
    }

    /** What stands there as an attribute already is the same, said more exactly. */
    private void acl(String record, String name) throws IOException {
        var text = records.get(record);
        if (text == null || xattrs.stream().anyMatch(Xattr.of(name, "").orElseThrow()::isNamedAs)) {
            return;
        }
        var value = AclText.value(text);
        if (record.equals(DEFAULT_ACL) || !AclText.isMode(value)) {
            xattr(name, value);
        }
    }

    /** Bytes of data in the archive; entries that can have none may still announce some. */
    long size(TarHeader fields) throws IOException {
        return switch (fields.type()) {
            case '1', '2', '3', '4', '5', '6' -> 0;
            default -> {
                var size = records.get("size");
                yield size == null ? fields.size() : decimal(size);
            }
        };
    }

    boolean mapIsInData() {
        return "1".equals(records.get("GNU.sparse.major"));
    }

    void oldSparse(TarHeader fields) throws IOException {
        sparseSize = fields.realSize();
        for (int at = 386; at < 386 + 4 * 24; at += 24) {
            oldPiece(fields.number(at, 12), fields.number(at + 12, 12));
        }
    }

    /** Takes a continuation of an old sparse map; true when one more follows. */
    boolean oldSparseBlock(byte[] block) throws IOException {
        for (int at = 0; at < 21 * 24; at += 24) {
            oldPiece(TarHeader.number(block, at, 12), TarHeader.number(block, at + 12, 12));
        }
        return block[504] != 0;
    }

    private void oldPiece(long offset, long length) throws IOException {
        if (length != 0) {
            piece(offset, length);
        }
    }

    void piece(long offset, long length) throws IOException {
        var known = pieces == null ? new long[16] : pieces;
        if (pieceCount * 2 == known.length) {
            known = Arrays.copyOf(known, known.length * 2);
        }
        if (pieceCount > MOST_PIECES) {
            throw Refusal.corrupt("sparse file has more than " + MOST_PIECES + " pieces");
        }
        known[pieceCount * 2] = offset;
        known[pieceCount * 2 + 1] = length;
        pieceCount++;
        pieces = known;
    }

    private void lastPieceLength(long length) throws IOException {
        if (pieces == null) {
            throw Refusal.corrupt("PAX header has a sparse length before any offset");
        }
        pieces[pieceCount * 2 - 1] = length;
    }

    private void sparseList(String text) throws IOException {
        var numbers = text.split(",");
        for (int at = 0; at + 1 < numbers.length; at += 2) {
            piece(decimal(numbers[at]), decimal(numbers[at + 1]));
        }
    }

    TarEntry entry(TarHeader fields, long stored) throws IOException {
        var name = name(fields);
        var time = time(fields);
        acl(ACCESS_ACL, Xattr.ACCESS_ACL);
        acl(DEFAULT_ACL, Xattr.DEFAULT_ACL);
        boolean sparse = sparseSize >= 0;
        return new TarEntry(
                name,
                link(fields),
                type(fields, name),
                fields.mode(),
                owner(fields, "uid", fields.uid()),
                owner(fields, "gid", fields.gid()),
                time.seconds,
                time.nanos,
                stored,
                sparse ? sparseSize : stored,
                sparse ? checkedPieces(name, stored) : DENSE,
                isDevice(fields) ? fields.major() : 0,
                isDevice(fields) ? fields.minor() : 0,
                List.copyOf(xattrs));
    }

    /** Pieces lie in order, inside the file, and make up the stored data. */
    private long[] checkedPieces(byte[] name, long stored) throws IOException {
        var known = pieces == null ? DENSE : Arrays.copyOf(pieces, pieceCount * 2);
        long end = 0;
        long sum = 0;
        for (int at = 0; at < known.length; at += 2) {
            long offset = known[at];
            long length = known[at + 1];
            if (offset < end || length < 0 || length > sparseSize - offset) {
                throw Refusal.corrupt("the map of sparse file " + Shown.name(name) + " is wrong");
            }
            end = offset + length;
            sum += length;
        }
        if (sum != stored) {
            throw Refusal.corrupt(
                    "sparse file %s stores %d bytes, its map tells %d"
                            .formatted(Shown.name(name), stored, sum));
        }
        // an empty piece at the end would make a dense file of the whole
        return known.length == 0 ? new long[] {0, 0} : known;
    }

    private byte[] name(TarHeader fields) throws IOException {
        return checked(anyName(fields));
    }

    /** For messages: as it is announced, right or wrong. */
    String shown(TarHeader fields) {
        return Shown.name(anyName(fields));
    }

    private byte[] anyName(TarHeader fields) {
        var pax = records.get("GNU.sparse.name");
        if (pax == null) {
            pax = records.get("path");
        }
        return pax != null ? bytes(pax) : longName != null ? longName : fields.name();
    }

    private byte[] link(TarHeader fields) throws IOException {
        var pax = records.get("linkpath");
        return checked(pax != null ? bytes(pax) : longLink != null ? longLink : fields.link());
    }

    private static byte[] checked(byte[] name) throws IOException {
        for (byte octet : name) {
            if (octet == 0) {
                throw Refusal.corrupt("tar entry " + Shown.name(name) + " has a NUL in a name");
            }
        }
        return name;
    }

    private static TarEntry.Type type(TarHeader fields, byte[] name) throws IOException {
        return switch (fields.type()) {
            // before ustar a directory was a file whose name ends in a slash
            case '0' ->
                    name.length > 0 && name[name.length - 1] == '/'
                            ? TarEntry.Type.DIRECTORY
                            : TarEntry.Type.FILE;
            case '7', 'S' -> TarEntry.Type.FILE;
            case '1' -> TarEntry.Type.HARD_LINK;
            case '2' -> TarEntry.Type.SYMLINK;
            case '3' -> TarEntry.Type.CHARACTER_DEVICE;
            case '4' -> TarEntry.Type.BLOCK_DEVICE;
            case '5' -> TarEntry.Type.DIRECTORY;
            case '6' -> TarEntry.Type.FIFO;
            default ->
                    throw Refusal.corrupt(
                            "tar entry %s is of unknown type %s"
                                    .formatted(
                                            Shown.name(name),
                                            Shown.name(new byte[] {(byte) fields.type()})));
        };
    }

    private static boolean isDevice(TarHeader fields) {
        return fields.type() == '3' || fields.type() == '4';
    }

    private int owner(TarHeader fields, String key, int plain) throws IOException {
        var pax = records.get(key);
        return pax == null ? plain : fields.id(decimal(pax), key);
    }

    private record Time(long seconds, int nanos) {}

    private Time time(TarHeader fields) throws IOException {
        var pax = records.get("mtime");
        if (pax == null) {
            return new Time(fields.seconds(), 0);
        }
        // a longer number would only keep the CPU busy
        if (pax.length() > 40 || !pax.matches("-?[0-9]+(\\.[0-9]*)?")) {
            throw Refusal.corrupt("PAX header has the time " + Shown.name(bytes(pax)));
        }
        var nanos = new BigDecimal(pax).movePointRight(9).setScale(0, RoundingMode.FLOOR);
        var parts = nanos.toBigInteger().divideAndRemainder(BILLION);
        boolean before = parts[1].signum() < 0;
        var seconds = before ? parts[0].subtract(BigInteger.ONE) : parts[0];
        if (seconds.bitLength() > 62) {
            throw Refusal.corrupt("PAX header has the time " + pax + ", out of any range");
        }
        return new Time(seconds.longValue(), parts[1].intValue() + (before ? 1_000_000_000 : 0));
    }

    static long decimal(String text) throws IOException {
        if (text.isEmpty() || text.length() > 18) {
            throw notANumber(text);
        }
        long value = 0;
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c < '0' || c > '9') {
                throw notANumber(text);
            }
            value = value * 10 + (c - '0');
        }
        return value;
    }

    private static Refusal notANumber(String text) {
        return Refusal.corrupt("tar header has the number " + Shown.name(bytes(text)));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }

    private static byte[] untilNul(byte[] bytes) {
        int end = 0;
        while (end < bytes.length && bytes[end] != 0) {
            end++;
        }
        return Arrays.copyOf(bytes, end);
    }
}
