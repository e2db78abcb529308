package podvm.engine.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Agent.OutputStreamKind;
import podvm.engine.Pods.Follow;
import podvm.engine.Pods.LogLine;
import podvm.engine.Pods.LogQuery;
import podvm.engine.Pods.LogReader;

/** A container that writes faster than its followers read, into files that soon rotate away. */
@Timeout(60)
final class FollowersTest {
    private static final int LINES = 300;
    private static final LogWriter.Limits SMALL = new LogWriter.Limits(300, 2);

    @TempDir Path directory;

    private final CountDownLatch reading = new CountDownLatch(1);
    private final CountDownLatch written = new CountDownLatch(1);

    /** Notes what it is told; its reading can be held up. */
    private abstract class Follower implements LogReader {
        final List<String> seen = new ArrayList<>();

        @Override
        public void line(LogLine line) throws IOException {
            seen.add(new String(line.text()));
            reading.countDown();
            try {
                pause();
            } catch (InterruptedException e) {
                throw new IOException(e);
            }
        }

        @Override
        public void lost(String container) {
            seen.add("lost of " + container);
        }

        abstract void pause() throws InterruptedException;
    }

    private List<String> follow(Follow follow, Follower follower) throws Exception {
        var logs = new PodLogs(directory);
        var read =
                new FutureTask<>(() -> {
                    var query = new LogQuery(follow, Optional.empty(), Optional.empty());
                    logs.read(List.of("a"), query, follower);
                    return follower.seen;
                });
        try (var writer = logs.writer("a", 0, SMALL)) {
            line(writer, 0);
            Thread.ofVirtual().start(read);
            reading.await();
            for (int i = 1; i < LINES; i++) {
                line(writer, i);
            }
        }
        written.countDown();
        logs.complete();
        return read.get();
    }

    private static void line(LogWriter writer, int number) throws Exception {
        var text = "line %03d\n".formatted(number).getBytes();
        var time = Instant.parse("2026-01-01T00:00:00Z").plusNanos(number);
        writer.chunk(
                OutputStreamKind.STDOUT, (long) number * text.length, text, time, (_, _) -> {});
    }

    private static List<String> lines(int from) {
        return IntStream.range(from, LINES).mapToObj("line %03d"::formatted).toList();
    }

    @Test
    void oneThatHoldsTheLogMissesNothing() throws Exception {
        var slow =
                new Follower() {
                    @Override
                    void pause() throws InterruptedException {
                        Thread.sleep(1);
                    }
                };
        assertThat(follow(Follow.HOLD, slow)).isEqualTo(lines(0));
    }

    @Test
    void oneThatDoesNotIsToldWhereLinesAreMissing() throws Exception {
        var stalled =
                new Follower() {
                    @Override
                    void pause() throws InterruptedException {
                        written.await();
                    }
                };
        var seen = follow(Follow.YES, stalled);
        int lost = seen.indexOf("lost of a");
        assertThat(lost).isPositive();
        assertThat(seen).first().isEqualTo("line 000");
        var after = seen.subList(lost + 1, seen.size());
        assertThat(after).isNotEmpty().isEqualTo(lines(LINES - after.size()));
        assertThat(seen.size() - 1).isLessThan(LINES);
    }

    @Test
    void oneThatHasGoneHoldsNothing() throws Exception {
        var gone =
                new Follower() {
                    @Override
                    public void line(LogLine line) throws IOException {
                        super.line(line);
                        throw new IOException("gone");
                    }

                    @Override
                    void pause() {}
                };
        assertThat(follow(Follow.HOLD, gone)).containsExactly("line 000");
    }
}
