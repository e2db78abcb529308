package podvm.engine;

import java.util.regex.Pattern;

/** A SHA-256 content address. */
public record Digest(String hex) {
    private static final Pattern FORM = Pattern.compile("sha256:[0-9a-f]{64}");

    public static Digest parse(String text) throws PodException {
        if (!FORM.matcher(text).matches()) {
            throw new PodException(
                    PodException.Kind.INVALID,
                    "not a digest: " + text,
                    "use sha256: and 64 hex digits");
        }
        return new Digest(text.substring("sha256:".length()));
    }

    @Override
    public String toString() {
        return "sha256:" + hex;
    }
}
