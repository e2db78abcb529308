package podvm.image.content;

import java.nio.charset.StandardCharsets;

/**
 * Makes names out of a stranger's archive fit for a message: short and without control characters.
 */
public final class Shown {
    private static final int LONGEST = 200;

    private Shown() {}

    public static String name(byte[] bytes) {
        var text = new String(bytes, StandardCharsets.UTF_8);
        var shown = new StringBuilder("'");
        for (int at = 0; at < text.length() && shown.length() < LONGEST; at++) {
            char c = text.charAt(at);
            shown.append(Character.isISOControl(c) ? '?' : c);
        }
        return shown.append(text.length() > LONGEST ? "…'" : "'").toString();
    }
}
