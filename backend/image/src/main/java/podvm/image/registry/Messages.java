package podvm.image.registry;

/** Makes a stranger's text fit for a message: one short line without control characters. */
final class Messages {
    private static final int LONGEST = 200;

    private Messages() {}

    static String shown(String text) {
        var line = new StringBuilder();
        for (int at = 0; at < text.length() && line.length() < LONGEST; at++) {
            char c = text.charAt(at);
            line.append(Character.isISOControl(c) ? ' ' : c);
        }
        return text.length() > LONGEST ? line + "…" : line.toString().strip();
    }
}
