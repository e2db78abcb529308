package podvm.engine;

import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;

/**
 * A pod sandbox's identity on this node: 32 hex digits. Names of all its host objects are made from
 * it.
 */
public record PodId(String text) {
    private static final Pattern FORM = Pattern.compile("[0-9a-f]{32}");

    public static PodId random() {
        return new PodId(randomHex());
    }

    public static PodId parse(String text) throws PodException {
        if (!FORM.matcher(text).matches()) {
            throw new PodException(
                    PodException.Kind.INVALID,
                    "not a pod id: " + text,
                    "use 32 hex digits, as podvm ps shows them");
        }
        return new PodId(text);
    }

    /** The first 12 digits, as tables show it. */
    public String brief() {
        return text.substring(0, 12);
    }

    @Override
    public String toString() {
        return text;
    }

    static String randomHex() {
        var bytes = new byte[16];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }
}
