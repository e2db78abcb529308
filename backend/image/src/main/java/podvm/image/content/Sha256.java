package podvm.image.content;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import podvm.engine.Digest;

/** The hash that content addresses are made of. */
public final class Sha256 {
    private Sha256() {}

    public static MessageDigest begin() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    public static Digest end(MessageDigest hash) {
        return new Digest(HexFormat.of().formatHex(hash.digest()));
    }

    public static Digest of(byte[] content) {
        var hash = begin();
        hash.update(content);
        return end(hash);
    }
}
