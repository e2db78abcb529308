package podvm.agent;

/** Text that the guest wrote: it may be long, and may try to steer a terminal or forge a line. */
final class GuestText {
    private static final int LONGEST = 1024;

    private GuestText() {}

    /** Fit to be shown: at most 1024 characters, one line, nothing invisible. */
    static String clean(String text) {
        var clean = new StringBuilder(Math.min(text.length(), LONGEST));
        text.codePoints()
                .limit(LONGEST)
                .map(c -> isHarmless(c) ? c : '?')
                .takeWhile(c -> clean.length() + Character.charCount(c) <= LONGEST)
                .forEach(clean::appendCodePoint);
        return clean.toString();
    }

    private static boolean isHarmless(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED ->
                    false;
            default -> true;
        };
    }
}
