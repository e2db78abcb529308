package podvm.image.layer;

import java.io.IOException;

/** Tells a tar stream from others by its first block. */
public final class Tars {
    /** Of each block of a tar stream. */
    public static final int BLOCK = 512;

    private Tars() {}

    /** A whole block of zeros begins one, too: it has no members. */
    public static boolean begins(byte[] first) {
        if (first.length != BLOCK) {
            return false;
        }
        try {
            var _ = new TarHeader(first, 0);
            return true;
        } catch (IOException _) {
            for (var octet : first) {
                if (octet != 0) {
                    return false;
                }
            }
            return true;
        }
    }
}
