package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class AnswerScannerTest {
    private static final String NUMBER = "00112233445566778899aabbccddeeff";

    @Test
    void anAnswerIsFoundBehindAnything() {
        assertThat(scan("PODVM1 OK " + NUMBER + "\n")).containsExactly(NUMBER);
        assertThat(scan("PODVM1 PODVM1 OK " + NUMBER + "\n")).containsExactly(NUMBER);
        assertThat(scan("PODVM1 OK 00PPODVM1 OK " + NUMBER + "\n")).containsExactly(NUMBER);
    }

    @Test
    void linesOfAnotherFormAreNoAnswers() {
        assertThat(scan("PODVM1 OK " + NUMBER.toUpperCase(java.util.Locale.ROOT) + "\n")).isEmpty();
        assertThat(scan("PODVM1 OK " + NUMBER + "0\n")).isEmpty();
        assertThat(scan("PODVM1 OK " + NUMBER + "\r\n")).isEmpty();
        assertThat(scan("PODVM1 " + NUMBER + "\n")).isEmpty();
    }

    @Test
    void theBytesBehindAnAnswerAreLeft() {
        var bytes = StandardCharsets.US_ASCII.encode("xPODVM1 OK " + NUMBER + "\nrest");
        assertThat(new AnswerScanner().next(bytes)).hasValue(NUMBER);
        assertThat(StandardCharsets.US_ASCII.decode(bytes).toString()).isEqualTo("rest");
    }

    @Test
    void answersAreFoundHoweverTheStreamIsCutAndWhateverStandsBetween() {
        var random = new Random(1);
        for (int round = 0; round < 2000; round++) {
            var stream = new StringBuilder();
            var expected = new ArrayList<String>();
            for (int i = 0; i < 4; i++) {
                stream.append(noise(random));
                var number = new byte[16];
                random.nextBytes(number);
                expected.add(HexFormat.of().formatHex(number));
                stream.append("PODVM1 OK ").append(expected.getLast()).append('\n');
            }
            assertThat(scanInPieces(stream.toString(), random)).containsExactlyElementsOf(expected);
        }
    }

    /** Pieces of answers, so that the scanner is led astray as often as possible. */
    private static String noise(Random random) {
        var answer = "PODVM1 OK " + NUMBER + "\n";
        var noise = new StringBuilder();
        for (int i = random.nextInt(4); i > 0; i--) {
            noise.append(answer, 0, random.nextInt(answer.length() - 1));
            noise.append((char) ('\0' + random.nextInt(256)));
        }
        // else a cut answer could be completed by the noise itself
        return noise.append('.').toString();
    }

    private static List<String> scan(String text) {
        return scanInPieces(text, new Random(text.length()));
    }

    private static List<String> scanInPieces(String text, Random random) {
        var scanner = new AnswerScanner();
        var bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        var answers = new ArrayList<String>();
        for (int at = 0; at < bytes.length; ) {
            var piece =
                    ByteBuffer.wrap(bytes, at, Math.min(1 + random.nextInt(50), bytes.length - at));
            at += piece.remaining();
            while (piece.hasRemaining()) {
                scanner.next(piece).ifPresent(answers::add);
            }
        }
        return answers;
    }
}
