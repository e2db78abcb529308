package podvm.image.layer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import podvm.image.content.Shown;

/** A part of a path, or a whole one: bytes, since no character set is known. */
record Segment(byte[] bytes, int from, int to) {
    static Segment of(byte[] bytes) {
        return new Segment(bytes, 0, bytes.length);
    }

    static Segment of(String ascii) {
        return of(ascii.getBytes(StandardCharsets.US_ASCII));
    }

    int length() {
        return to - from;
    }

    boolean isDot() {
        return length() == 1 && bytes[from] == '.';
    }

    boolean isDotDot() {
        return length() == 2 && bytes[from] == '.' && bytes[from + 1] == '.';
    }

    boolean isAbsolute() {
        return length() > 0 && bytes[from] == '/';
    }

    boolean startsWith(Segment prefix) {
        return length() >= prefix.length()
                && Arrays.equals(
                        bytes, from, from + prefix.length(), prefix.bytes, prefix.from, prefix.to);
    }

    boolean hasSameBytes(Segment other) {
        return Arrays.equals(bytes, from, to, other.bytes, other.from, other.to);
    }

    Segment skip(int length) {
        return new Segment(bytes, from + length, to);
    }

    /** Without the slashes, and the dots between them, that say nothing at the end of a path. */
    Segment trimmed() {
        int end = to;
        while (end > from && (bytes[end - 1] == '/' || endsInLoneDot(end))) {
            end--;
        }
        return new Segment(bytes, from, end);
    }

    private boolean endsInLoneDot(int end) {
        return bytes[end - 1] == '.' && (end == from + 1 || bytes[end - 2] == '/');
    }

    /** What follows the last slash. */
    Segment last() {
        int start = to;
        while (start > from && bytes[start - 1] != '/') {
            start--;
        }
        return new Segment(bytes, start, to);
    }

    /** What precedes {@link #last}. */
    Segment parent() {
        return new Segment(bytes, from, last().from);
    }

    /** What precedes the first slash. */
    Segment first() {
        int end = from;
        while (end < to && bytes[end] != '/') {
            end++;
        }
        return new Segment(bytes, from, end);
    }

    /** What follows the first slash. */
    Segment rest() {
        return new Segment(bytes, Math.min(first().to + 1, to), to);
    }

    String shown() {
        return Shown.name(Arrays.copyOfRange(bytes, from, to));
    }
}
