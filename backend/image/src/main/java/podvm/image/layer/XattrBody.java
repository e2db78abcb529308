package podvm.image.layer;

import java.nio.ByteBuffer;
import java.util.List;

/** The extended attributes that follow an inode (fs/erofs/erofs_fs.h, "inline xattrs"). */
final class XattrBody {
    static final int HEADER = 12;

    private XattrBody() {}

    static int bytes(List<Xattr> xattrs) {
        return xattrs.isEmpty() ? 0 : HEADER + xattrs.stream().mapToInt(Xattr::encodedBytes).sum();
    }

    /** The inode's count: one for the header and one for each further four bytes. */
    static int units(List<Xattr> xattrs) {
        return xattrs.isEmpty() ? 0 : 1 + (bytes(xattrs) - HEADER) / 4;
    }

    static void write(List<Xattr> xattrs, ByteBuffer target) {
        if (xattrs.isEmpty()) {
            return;
        }
        target.putInt(0).putLong(0);
        for (var xattr : xattrs) {
            int end = target.position() + xattr.encodedBytes();
            target.put((byte) xattr.name().length()).put((byte) xattr.space());
            target.putShort((short) xattr.value().length());
            target.put(xattr.nameBytes()).put(xattr.valueBytes());
            while (target.position() < end) {
                target.put((byte) 0);
            }
        }
    }
}
