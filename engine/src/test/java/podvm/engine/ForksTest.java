package podvm.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import podvm.engine.PodException.Kind;

@Timeout(20)
final class ForksTest {
    private static final Deadline LATER = Deadline.after(Duration.ofMinutes(1));

    private final AtomicInteger running = new AtomicInteger();

    private Object untilCancelled() throws InterruptedException {
        running.incrementAndGet();
        try {
            new CountDownLatch(1).await();
            return "never";
        } finally {
            running.decrementAndGet();
        }
    }

    @Test
    void resultsAreThereAfterTheJoin() throws Exception {
        try (var forks = new Forks("test")) {
            var one = forks.fork(() -> 1);
            var two = forks.fork(() -> 2);
            forks.join(LATER);
            assertThat(one.resultNow() + two.resultNow()).isEqualTo(3);
        }
    }

    @Test
    void theFirstFailureCancelsTheRest() {
        assertThatThrownBy(
                        () -> {
                            try (var forks = new Forks("test")) {
                                forks.fork(this::untilCancelled);
                                forks.fork(() -> {
                                    throw new PodException(Kind.DENIED, "no", "");
                                });
                                forks.join(LATER);
                            }
                        })
                .hasMessage("no");
        assertThat(running).hasValue(0);
    }

    @Test
    void theDeadlineCancelsTheRest() {
        assertThatThrownBy(
                        () -> {
                            try (var forks = new Forks("test")) {
                                forks.fork(this::untilCancelled);
                                forks.join(Deadline.after(Duration.ofMillis(20)));
                            }
                        })
                .isInstanceOfSatisfying(
                        PodException.class, e -> assertThat(e.kind()).isEqualTo(Kind.DEADLINE));
        assertThat(running).hasValue(0);
    }

    @Test
    void anInterruptCancelsTheRest() throws Exception {
        var joiner =
                Thread.ofVirtual()
                        .start(() -> {
                            try (var forks = new Forks("test")) {
                                forks.fork(this::untilCancelled);
                                forks.join(LATER);
                            } catch (PodException | InterruptedException e) {
                                // as planned
                            }
                        });
        while (running.get() == 0) {
            Thread.onSpinWait();
        }
        joiner.interrupt();
        joiner.join();
        assertThat(running).hasValue(0);
    }

    @Test
    void noTaskOutlivesABlockThatIsNotJoined() {
        try (var forks = new Forks("test")) {
            forks.fork(this::untilCancelled);
        }
        assertThat(running).hasValue(0);
    }

    @Test
    void aTaskThatIgnoresItsCancellationIsWaitedFor() {
        var ended = new AtomicInteger();
        try (var forks = new Forks("test")) {
            forks.fork(() -> {
                try {
                    Thread.sleep(Duration.ofMinutes(1));
                } catch (InterruptedException e) {
                    Thread.sleep(20);
                    ended.incrementAndGet();
                }
                return "";
            });
            while (Thread.currentThread().isInterrupted()) {
                Thread.onSpinWait();
            }
            sleepALittle();
        }
        assertThat(ended).hasValue(1);
    }

    private static void sleepALittle() {
        try {
            Thread.sleep(20);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void aBugComesOutAsItself() {
        assertThatThrownBy(
                        () -> {
                            try (var forks = new Forks("test")) {
                                forks.fork(() -> {
                                    throw new IllegalStateException("bug");
                                });
                                forks.join(LATER);
                            }
                        })
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("bug");
    }
}
