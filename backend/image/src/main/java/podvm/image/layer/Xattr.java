package podvm.image.layer;

import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * An extended attribute as EROFS keeps it.
 *
 * @param space number of the name's prefix (fs/erofs/erofs_fs.h: 1 user., 2 and 3 POSIX ACLs, 4
 *     trusted., 6 security.)
 * @param name what follows the prefix, one char per byte
 * @param value one char per byte: strings give equality, and one byte of memory per char
 */
public record Xattr(int space, String name, String value) {
    static final String ACCESS_ACL = "system.posix_acl_access";
    static final String DEFAULT_ACL = "system.posix_acl_default";
    static final Xattr OPAQUE = new Xattr(4, "overlay.opaque", "y");
    private static final int LONGEST_NAME = 255;
    static final int LARGEST_VALUE = 65_535;

    /**
     * Empty for names that the file system cannot hold, and for those with which overlayfs marks
     * its own work: a layer says such things by whiteouts.
     */
    static Optional<Xattr> of(String name, String value) {
        if (name.startsWith("trusted.overlay.") || name.startsWith("user.overlay.")) {
            return Optional.empty();
        }
        if (name.equals(ACCESS_ACL)) {
            return Optional.of(new Xattr(2, "", value));
        }
        if (name.equals(DEFAULT_ACL)) {
            return Optional.of(new Xattr(3, "", value));
        }
        return prefixed(1, "user.", name, value)
                .or(() -> prefixed(4, "trusted.", name, value))
                .or(() -> prefixed(6, "security.", name, value));
    }

    private static Optional<Xattr> prefixed(int space, String prefix, String name, String value) {
        boolean fits =
                name.startsWith(prefix)
                        && name.length() > prefix.length()
                        && name.length() <= LONGEST_NAME;
        return fits
                ? Optional.of(new Xattr(space, name.substring(prefix.length()), value))
                : Optional.empty();
    }

    boolean isNamedAs(Xattr other) {
        return space == other.space && name.equals(other.name);
    }

    /** Bytes of the entry, which is padded to a multiple of four. */
    int encodedBytes() {
        return (4 + name.length() + value.length() + 3) & ~3;
    }

    byte[] nameBytes() {
        return name.getBytes(StandardCharsets.ISO_8859_1);
    }

    byte[] valueBytes() {
        return value.getBytes(StandardCharsets.ISO_8859_1);
    }
}
