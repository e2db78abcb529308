package podvm.engine.log;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Agent.Ack;
import podvm.engine.Agent.OutputStreamKind;
import podvm.engine.PodException;
import podvm.engine.Pods.Follow;
import podvm.engine.Pods.LogQuery;

@Timeout(60)
final class LogWriterTest {
    private static final LogWriter.Limits LARGE = new LogWriter.Limits(1 << 30, 100);
    private static final Ack NOBODY = (_, _) -> {};

    @TempDir Path directory;

    private static LogWriter writer(Path directory, LogWriter.Limits limits) throws Exception {
        return LogWriter.inDirectory(directory, 0, limits, new LogHolds(), () -> {});
    }

    /** What a reader gets, per stream, lines joined again. */
    private static Map<OutputStreamKind, byte[]> read(Path directory) throws Exception {
        var streams = new EnumMap<OutputStreamKind, ByteArrayOutputStream>(OutputStreamKind.class);
        for (var stream : OutputStreamKind.values()) {
            streams.put(stream, new ByteArrayOutputStream());
        }
        try (var trail = new LogTrail("c", LogSuccession.ofParts(directory), () -> {})) {
            for (var line = trail.next(); line.isPresent(); line = trail.next()) {
                var out = streams.get(line.get().stream());
                out.writeBytes(line.get().text());
                if (!line.get().partial()) {
                    out.write('\n');
                }
            }
        }
        var result = new EnumMap<OutputStreamKind, byte[]>(OutputStreamKind.class);
        streams.forEach((stream, out) -> result.put(stream, out.toByteArray()));
        return result;
    }

    private static void assertComplete(Guest guest, Path directory, String when) throws Exception {
        var log = read(directory);
        for (var stream : OutputStreamKind.values()) {
            assertThat(log.get(stream)).as(stream + " " + when).isEqualTo(guest.all(stream));
        }
    }

    @Test
    void aLineIsWrittenInTheFormOfTheCri() throws Exception {
        try (var writer = writer(directory, LARGE)) {
            new Guest().write("hello\nrest").send(writer, NOBODY);
        }
        assertThat(Files.readAllLines(directory.resolve("000000.000000.log")))
                .containsExactly(
                        "2026-01-01T00:00:00.000000000Z stdout F hello",
                        "2026-01-01T00:00:00.000000001Z stdout P rest");
    }

    @Test
    void binaryOutputArrivesUnchanged() throws Exception {
        for (long seed = 0; seed < 20; seed++) {
            var guest = Guest.random(new Random(seed), 60, 50_000);
            var log = directory.resolve("seed-" + seed);
            try (var writer = writer(log, LARGE)) {
                guest.send(writer, guest);
            }
            assertComplete(guest, log, "seed " + seed);
            for (var stream : OutputStreamKind.values()) {
                assertThat(guest.acknowledged.getOrDefault(stream, 0L))
                        .isEqualTo(guest.all(stream).length);
            }
        }
    }

    /**
     * The daemon dies while it writes the answer to each chunk; the file ends after any byte of
     * that write, and the guest has heard any of the acknowledgements.
     */
    @Test
    void outputIsWrittenOnceWhateverByteTheDaemonDiesAfter() throws Exception {
        for (long seed = 0; seed < 2; seed++) {
            var guest = Guest.random(new Random(seed), 7, 60);
            for (int died = 0; died < guest.chunks.size(); died++) {
                surviveDeathInChunk(guest, died, "seed " + seed + " chunk " + died);
            }
        }
    }

    private void surviveDeathInChunk(Guest all, int died, String when) throws Exception {
        var base = directory.resolve(when);
        var file = base.resolve("000000.000000.log");
        var acks = new EnumMap<OutputStreamKind, Long>(OutputStreamKind.class);
        Map<OutputStreamKind, Long> acksBefore = Map.of();
        long sizeBefore = 0;
        try (var writer = writer(base, LARGE)) {
            for (int i = 0; i <= died; i++) {
                acksBefore = Map.copyOf(acks);
                sizeBefore = Files.size(file);
                var chunk = all.chunks.get(i);
                writer.chunk(chunk.stream(), chunk.offset(), chunk.data(), chunk.time(), acks::put);
            }
        }
        long sizeAfter = Files.size(file);
        for (long size = sizeBefore; size <= sizeAfter; size++) {
            var copy = base.resolve("at-" + size);
            Files.createDirectories(copy);
            Files.copy(file, copy.resolve(file.getFileName()));
            try (var channel =
                    FileChannel.open(copy.resolve(file.getFileName()), StandardOpenOption.WRITE)) {
                channel.truncate(size);
            }
            var heard = size == sizeAfter ? List.of(acksBefore, acks) : List.of(acksBefore);
            for (var known : heard) {
                var again = directory.resolve("again");
                deleteAll(again);
                Files.createDirectories(again);
                Files.copy(copy.resolve(file.getFileName()), again.resolve(file.getFileName()));
                var guest = new Guest();
                guest.chunks.addAll(all.chunks);
                guest.acknowledged.putAll(known);
                try (var writer = writer(again, LARGE)) {
                    guest.send(writer, guest);
                }
                assertComplete(guest, again, when + " size " + size);
            }
        }
    }

    private static void deleteAll(Path directory) throws Exception {
        for (var file : LogFiles.list(directory)) {
            Files.delete(file);
        }
    }

    @Test
    void outputIsWrittenOnceAlsoWhenDaemonsDieAgainAndAgain() throws Exception {
        for (long seed = 0; seed < 25; seed++) {
            var random = new Random(seed);
            var guest = Guest.random(random, 60, seed % 3 == 0 ? 40_000 : 200);
            var log = directory.resolve("seed-" + seed);
            var limits = new LogWriter.Limits(seed % 2 == 0 ? 500 : 1 << 20, 1000);
            for (int death = 0; death < 8; death++) {
                int calls = random.nextInt(15);
                boolean acksArrive = random.nextBoolean();
                dieAfter(log, limits, guest, calls, acksArrive);
                tear(log, random, guest);
            }
            try (var writer = writer(log, limits)) {
                guest.send(writer, guest);
            }
            assertComplete(guest, log, "seed " + seed);
        }
    }

    private static final class Dead extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private static void dieAfter(
            Path log, LogWriter.Limits limits, Guest guest, int calls, boolean acksArrive)
            throws Exception {
        int[] left = {calls};
        try (var writer = writer(log, limits)) {
            guest.send(
                    new podvm.engine.Agent.OutputSink() {
                        @Override
                        public void chunk(
                                OutputStreamKind stream,
                                long offset,
                                byte[] data,
                                Instant time,
                                Ack ack)
                                throws PodException {
                            boolean last = left[0]-- == 0;
                            writer.chunk(stream, offset, data, time, last ? NOBODY : ack);
                            if (last) {
                                throw new Dead();
                            }
                        }

                        @Override
                        public void end(OutputStreamKind stream, Ack ack) {
                            throw new Dead();
                        }
                    },
                    acksArrive ? guest : NOBODY);
        } catch (Dead e) {
            // as planned
        }
    }

    /** Cuts unacknowledged bytes off the newest file: they never reached it. */
    private static void tear(Path log, Random random, Guest guest) throws Exception {
        if (!guest.acknowledged.isEmpty()) {
            return;
        }
        var newest = LogFiles.list(log).getLast();
        try (var channel = FileChannel.open(newest, StandardOpenOption.WRITE)) {
            channel.truncate(random.nextLong(channel.size() + 1));
        }
    }

    @Test
    void rotationKeepsTheNewestFilesOfAllAttempts() throws Exception {
        var limits = new LogWriter.Limits(100, 3);
        for (int attempt = 0; attempt < 10; attempt++) {
            try (var writer =
                    LogWriter.inDirectory(directory, attempt, limits, new LogHolds(), () -> {})) {
                new Guest().write("attempt " + attempt + "\n").send(writer, NOBODY);
            }
            assertThat(LogFiles.list(directory)).hasSizeLessThanOrEqualTo(3);
        }
        var names = LogFiles.list(directory).stream().map(f -> f.getFileName().toString());
        assertThat(names)
                .containsExactly("000007.000000.log", "000008.000000.log", "000009.000000.log");
    }

    @Test
    void aReaderInTheMiddleSurvivesRotation() throws Exception {
        var limits = new LogWriter.Limits(200, 3);
        var guest = new Guest();
        try (var writer = writer(directory, limits);
                var trail = new LogTrail("c", LogSuccession.ofParts(directory), () -> {})) {
            int next = 0;
            for (int i = 0; i < 500; i++) {
                guest.write("line " + i + "\n");
                var chunk = guest.chunks.getLast();
                writer.chunk(chunk.stream(), chunk.offset(), chunk.data(), chunk.time(), NOBODY);
                if (i % 5 == 0) {
                    for (var line = trail.next(); line.isPresent(); line = trail.next()) {
                        assertThat(new String(line.get().text(), ISO_8859_1))
                                .isEqualTo("line " + next++);
                    }
                    assertThat(next).isEqualTo(i + 1);
                }
            }
            assertThat(LogFiles.list(directory)).hasSize(3);
        }
    }

    @Test
    void aReaderThatFallsBehindRotationGoesOnWithWhatIsThere() throws Exception {
        var limits = new LogWriter.Limits(200, 3);
        var guest = new Guest();
        try (var writer = writer(directory, limits);
                var trail = new LogTrail("c", LogSuccession.ofParts(directory), () -> {})) {
            for (int i = 0; i < 100; i++) {
                guest.write("line " + i + "\n");
                var chunk = guest.chunks.getLast();
                writer.chunk(chunk.stream(), chunk.offset(), chunk.data(), chunk.time(), NOBODY);
                if (i == 2) {
                    assertThat(trail.next()).isPresent();
                }
            }
            String last = "";
            for (var line = trail.next(); line.isPresent(); line = trail.next()) {
                last = new String(line.get().text(), ISO_8859_1);
            }
            assertThat(last).isEqualTo("line 99");
        }
    }

    @Test
    void timesThatNoClockShowsAreStillReadable() throws Exception {
        try (var writer = writer(directory, LARGE)) {
            writer.chunk(OutputStreamKind.STDOUT, 0, "a\n".getBytes(), Instant.MIN, NOBODY);
            writer.chunk(OutputStreamKind.STDOUT, 2, "b\nc".getBytes(), Instant.MAX, NOBODY);
            writer.end(OutputStreamKind.STDOUT, NOBODY);
        }
        assertThat(new String(read(directory).get(OutputStreamKind.STDOUT))).isEqualTo("a\nb\nc");
    }

    @Test
    void aLogThatCannotBeWrittenSaysWhere() throws Exception {
        Files.writeString(directory.resolve("file"), "");
        assertThatThrownBy(() -> writer(directory.resolve("file"), LARGE))
                .isInstanceOf(PodException.class)
                .hasMessageContaining("cannot write the log in " + directory.resolve("file"));
    }

    @Test
    void tailAndSinceAndMergeByTime() throws Exception {
        var logs = new PodLogs(directory);
        var start = Instant.parse("2026-01-01T00:00:00Z");
        for (var name : List.of("a", "b")) {
            try (var writer = logs.writer(name, 0, LARGE)) {
                long offset = 0;
                for (int i = 0; i < 5; i++) {
                    var time = start.plusSeconds(2L * i + (name.equals("b") ? 1 : 0));
                    writer.chunk(
                            OutputStreamKind.STDOUT,
                            offset,
                            (name + i + "\n").getBytes(),
                            time,
                            NOBODY);
                    offset += 3;
                }
            }
        }
        assertThat(lines(logs, new LogQuery(Follow.NO, Optional.empty(), Optional.empty())))
                .containsExactly("a0", "b0", "a1", "b1", "a2", "b2", "a3", "b3", "a4", "b4");
        assertThat(lines(logs, new LogQuery(Follow.NO, Optional.empty(), Optional.of(3))))
                .containsExactly("b3", "a4", "b4");
        assertThat(lines(logs, new LogQuery(Follow.NO, Optional.empty(), Optional.of(0))))
                .isEmpty();
        assertThat(
                        lines(
                                logs,
                                new LogQuery(
                                        Follow.NO,
                                        Optional.of(start.plusSeconds(7)),
                                        Optional.empty())))
                .containsExactly("b3", "a4", "b4");
        assertThat(
                        lines(
                                logs,
                                new LogQuery(
                                        Follow.NO,
                                        Optional.of(start.plusSeconds(7)),
                                        Optional.of(1))))
                .containsExactly("b4");
    }

    private static List<String> lines(PodLogs logs, LogQuery query) throws Exception {
        var result = new java.util.ArrayList<String>();
        logs.read(List.of("a", "b"), query, line -> result.add(new String(line.text())));
        return result;
    }

    @Test
    void aFollowerSeesAllAndEndsWithThePod() throws Exception {
        var logs = new PodLogs(directory);
        var seen = new java.util.concurrent.CopyOnWriteArrayList<String>();
        var follower =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                logs.read(
                                        List.of("a", "b"),
                                        new LogQuery(
                                                Follow.YES, Optional.empty(), Optional.empty()),
                                        line -> seen.add(new String(line.text())));
                            } catch (Exception e) {
                                throw new IllegalStateException(e);
                            }
                        });
        var guest = new Guest();
        try (var writer = logs.writer("a", 0, new LogWriter.Limits(300, 4))) {
            for (int i = 0; i < 200; i++) {
                guest.write("line " + i + "\n");
                var chunk = guest.chunks.getLast();
                writer.chunk(chunk.stream(), chunk.offset(), chunk.data(), chunk.time(), NOBODY);
                while (seen.size() <= i) {
                    Thread.onSpinWait();
                }
            }
        }
        logs.complete();
        follower.join();
        assertThat(seen).hasSize(200).startsWith("line 0").endsWith("line 199");
    }

    @Test
    void aFollowerOfACompleteLogSeesItAndEnds() throws Exception {
        var logs = new PodLogs(directory);
        try (var writer = logs.writer("a", 0, LARGE)) {
            new Guest().write("one\ntwo\n").send(writer, NOBODY);
        }
        logs.complete();
        assertThat(lines(logs, new LogQuery(Follow.YES, Optional.empty(), Optional.empty())))
                .containsExactly("one", "two");
    }

    @Test
    void aReaderThatGoesAwayEndsTheReadingQuietly() throws Exception {
        var logs = new PodLogs(directory);
        try (var writer = logs.writer("a", 0, LARGE)) {
            new Guest().write("one\ntwo\n").send(writer, NOBODY);
        }
        int[] lines = {0};
        logs.read(
                List.of("a"),
                new LogQuery(Follow.YES, Optional.empty(), Optional.empty()),
                _ -> {
                    lines[0]++;
                    throw new java.io.IOException("gone");
                });
        assertThat(lines[0]).isEqualTo(1);
    }
}
