package podvm.engine.log;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import podvm.engine.Agent.OutputStreamKind;

final class LogLinesTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");

    private static List<LogLines.Entry> entries(Guest guest, long from, boolean ended) {
        var result = new ArrayList<LogLines.Entry>();
        var lines = new LogLines(OutputStreamKind.STDOUT, result::add);
        for (var chunk : guest.chunks) {
            long start = Math.max(from, chunk.offset());
            if (start < chunk.offset() + chunk.data().length) {
                lines.add(
                        start,
                        Arrays.copyOfRange(
                                chunk.data(), (int) (start - chunk.offset()), chunk.data().length),
                        chunk.time());
            }
        }
        if (ended) {
            lines.end();
        }
        return result;
    }

    private static List<String> describe(List<LogLines.Entry> entries) {
        return entries.stream()
                .map(entry ->
                        entry.time()
                                + " "
                                + entry.partial()
                                + " "
                                + entry.end()
                                + " "
                                + Arrays.hashCode(entry.text()))
                .toList();
    }

    private static Guest oneStream(long seed, int longest) {
        var random = new Random(seed);
        var guest = new Guest();
        for (var chunk : Guest.random(random, 40, longest).chunks) {
            guest.write(OutputStreamKind.STDOUT, chunk.data());
        }
        return guest;
    }

    @Test
    void entriesAreTheSameFromWhereverOutputIsSentAgain() {
        for (long seed = 0; seed < 24; seed++) {
            var guest = oneStream(seed, seed % 4 == 0 ? 40_000 : 300);
            var whole = entries(guest, 0, true);
            for (int i = 0; i < whole.size(); i++) {
                var again = entries(guest, whole.get(i).end(), true);
                assertThat(describe(again))
                        .as("seed " + seed + " after entry " + i)
                        .isEqualTo(describe(whole.subList(i + 1, whole.size())));
            }
        }
    }

    @Test
    void entriesJoinedAreTheOutput() {
        for (long seed = 0; seed < 20; seed++) {
            var guest = oneStream(seed, 40_000);
            var out = new ByteArrayOutputStream();
            for (var entry : entries(guest, 0, true)) {
                assertThat(entry.text().length).isLessThanOrEqualTo(LogLines.MAX_BYTES);
                out.writeBytes(entry.text());
                if (!entry.partial()) {
                    out.write('\n');
                }
                assertThat(entry.end()).isEqualTo(out.size());
            }
            assertThat(out.toByteArray()).isEqualTo(guest.all(OutputStreamKind.STDOUT));
        }
    }

    @Test
    void anEntryHasTheTimeOfTheChunkThatHeldItsLastByte() {
        for (long seed = 0; seed < 50; seed++) {
            var guest = oneStream(seed, 300);
            for (var entry : entries(guest, 0, false)) {
                var chunk =
                        guest.chunks.stream()
                                .filter(one -> one.offset() + one.data().length >= entry.end())
                                .findFirst();
                assertThat(chunk.map(Guest.Chunk::time)).as("seed " + seed).contains(entry.time());
            }
        }
    }

    @Test
    void aLineOfExactlyTheLimitIsCutAndEndsWithAnEmptyRest() {
        var guest = new Guest().write("x".repeat(LogLines.MAX_BYTES) + "\nnext\n");
        var entries = entries(guest, 0, true);
        assertThat(entries).extracting(LogLines.Entry::partial).containsExactly(true, false, false);
        assertThat(entries.get(1).text()).isEmpty();
    }

    @Test
    void aLastLineWithoutNewlineIsPartialAndLater() {
        var entries = new ArrayList<LogLines.Entry>();
        var lines = new LogLines(OutputStreamKind.STDOUT, entries::add);
        lines.add(0, "a\nrest".getBytes(US_ASCII), NOW);
        lines.end();
        assertThat(entries).hasSize(2);
        assertThat(entries.get(1).partial()).isTrue();
        assertThat(entries.get(1).time()).isAfter(NOW);
        assertThat(entries.get(1).end()).isEqualTo(6);
    }
}
