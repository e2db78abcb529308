package podvm.agent;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Finds lines {@code PODVM1 OK <32 hex digits>} in a byte stream that may begin with anything, such
 * as the rest of an earlier connection.
 */
final class AnswerScanner {
    private static final byte[] START = "PODVM1 OK ".getBytes(StandardCharsets.US_ASCII);
    private static final int DIGITS = 32;

    private final StringBuilder digits = new StringBuilder(DIGITS);
    private int matched;

    /**
     * The digits of the next answer; consumes the bytes up to its end, or all when there is none.
     */
    Optional<String> next(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            if (ends(bytes.get())) {
                var answer = digits.toString();
                begin();
                return Optional.of(answer);
            }
        }
        return Optional.empty();
    }

    private boolean ends(byte b) {
        if (matched < START.length && b == START[matched]) {
            matched++;
        } else if (matched == START.length && digits.length() < DIGITS && isHex(b)) {
            digits.append((char) b);
        } else if (digits.length() == DIGITS && b == '\n') {
            return true;
        } else {
            begin();
            // the first byte stands nowhere else in an answer, so only it can begin another one
            matched = b == START[0] ? 1 : 0;
        }
        return false;
    }

    private void begin() {
        matched = 0;
        digits.setLength(0);
    }

    private static boolean isHex(byte b) {
        return (b >= '0' && b <= '9') || (b >= 'a' && b <= 'f');
    }
}
