package podvm.image.layer;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import podvm.image.content.Refusal;
import podvm.image.content.Shown;

/**
 * A POSIX ACL as tar carries it, in text (acl(5), "ACL TEXT FORMS"; star adds a fourth field with
 * the numeric id), turned into the attribute that the kernel keeps
 * (include/uapi/linux/posix_acl_xattr.h).
 */
final class AclText {
    private static final Pattern ENTRY =
            Pattern.compile(
                    "(user|u|group|g|mask|m|other|o):(?:([^:]*):)?([r-][w-][x-])(?::(\\d+))?"
                            + "(?:\\s*#.*)?");

    private static final int VERSION = 2;
    private static final int NO_ID = -1;
    private static final int OWNER = 0x01;
    private static final int USER = 0x02;
    private static final int OWNING_GROUP = 0x04;
    private static final int GROUP = 0x08;
    private static final int MASK = 0x10;
    private static final int OTHER = 0x20;

    /** More would not fit into an attribute. */
    private static final int MOST = 8000;

    private record Entry(int tag, int permissions, int id) {}

    private AclText() {}

    /** The attribute's value, one char per byte. */
    static String value(String text) throws IOException {
        var entries = new ArrayList<Entry>();
        for (var line : text.split("[,\n]")) {
            var stripped = line.strip();
            if (!stripped.isEmpty() && !stripped.startsWith("#")) {
                entries.add(entry(stripped));
            }
            if (entries.size() > MOST) {
                throw Refusal.corrupt("its ACL has more than %d entries".formatted(MOST));
            }
        }
        // the kernel wants them in this order
        entries.sort(
                Comparator.comparingInt(Entry::tag)
                        .thenComparing(Entry::id, Integer::compareUnsigned));
        check(entries);
        var value =
                ByteBuffer.allocate(4 + 8 * entries.size())
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(VERSION);
        for (var entry : entries) {
            value.putShort((short) entry.tag());
            value.putShort((short) entry.permissions()).putInt(entry.id());
        }
        return new String(value.array(), StandardCharsets.ISO_8859_1);
    }

    /** Whether it says no more than a mode does: then the kernel keeps none. */
    static boolean isMode(String value) {
        return value.length() == 4 + 8 * 3;
    }

    private static Entry entry(String text) throws IOException {
        var fields = ENTRY.matcher(text);
        if (!fields.matches()) {
            throw Refusal.corrupt("its ACL has the entry " + shown(text));
        }
        var letters = fields.group(3);
        int permissions =
                (letters.charAt(0) == 'r' ? 4 : 0)
                        | (letters.charAt(1) == 'w' ? 2 : 0)
                        | (letters.charAt(2) == 'x' ? 1 : 0);
        boolean named = fields.group(2) != null && !fields.group(2).isEmpty();
        int tag =
                switch (fields.group(1).charAt(0)) {
                    case 'u' -> named ? USER : OWNER;
                    case 'g' -> named ? GROUP : OWNING_GROUP;
                    case 'm' -> MASK;
                    default -> OTHER;
                };
        return new Entry(tag, permissions, named ? id(fields, text) : NO_ID);
    }

    /** The names of whoever packed the layer mean nothing here, but root is 0 everywhere. */
    private static int id(Matcher fields, String text) throws IOException {
        var number = fields.group(4) != null ? fields.group(4) : fields.group(2);
        if (number.equals("root")) {
            return 0;
        }
        boolean isId = number.matches("\\d{1,10}") && Long.parseLong(number) < 0xffff_ffffL;
        if (!isId) {
            throw Refusal.corrupt(
                    "its ACL has the entry %s, whose name has no number here"
                            .formatted(shown(text)));
        }
        return (int) Long.parseLong(number);
    }

    private static void check(List<Entry> entries) throws IOException {
        var seen = new HashSet<Long>();
        int tags = 0;
        for (var entry : entries) {
            if (!seen.add((long) entry.tag() << 32 | Integer.toUnsignedLong(entry.id()))) {
                throw Refusal.corrupt("its ACL says something twice");
            }
            tags |= entry.tag();
        }
        int least = OWNER | OWNING_GROUP | OTHER;
        boolean whole = (tags & least) == least && ((tags & (USER | GROUP)) == 0 || hasMask(tags));
        if (!whole) {
            throw Refusal.corrupt("its ACL lacks an entry that each one has");
        }
    }

    private static boolean hasMask(int tags) {
        return (tags & MASK) != 0;
    }

    private static String shown(String text) {
        return Shown.name(text.getBytes(StandardCharsets.ISO_8859_1));
    }
}
