package podvm.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import podvm.engine.PodException.Kind;

final class RollbackTest {
    private final List<String> closed = new ArrayList<>();

    private AutoCloseable named(String name) {
        return () -> closed.add(name);
    }

    private AutoCloseable failing(String name, Exception failure) {
        return () -> {
            closed.add(name);
            throw failure;
        };
    }

    @Test
    void theNewestIsClosedFirst() throws Exception {
        try (var undo = new Rollback()) {
            undo.add(named("a"));
            undo.add(named("b"));
            undo.add(named("c"));
        }
        assertThat(closed).containsExactly("c", "b", "a");
    }

    @Test
    void whatIsKeptIsClosedByItsKeeperInTheSameOrder() throws Exception {
        Rollback kept;
        try (var undo = new Rollback()) {
            undo.add(named("a"));
            undo.add(named("b"));
            kept = undo.keep();
        }
        assertThat(closed).isEmpty();
        kept.add(named("c"));
        kept.close();
        assertThat(closed).containsExactly("c", "b", "a");
    }

    @Test
    void allIsClosedAlthoughOneFails() {
        var failure = new PodException(Kind.MACHINE, "b is stuck", "");
        assertThatThrownBy(
                        () -> {
                            try (var undo = new Rollback()) {
                                undo.add(failing("a", new IllegalStateException("a too")));
                                undo.add(failing("b", failure));
                                undo.add(named("c"));
                            }
                        })
                .isSameAs(failure)
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
        assertThat(closed).containsExactly("c", "b", "a");
    }

    @Test
    void aFailureOfAnotherKindIsTold() {
        assertThatThrownBy(
                        () -> {
                            try (var undo = new Rollback()) {
                                undo.add(failing("a", new IOException("disk")));
                            }
                        })
                .isInstanceOf(PodException.class)
                .hasMessage("cannot release: disk");
    }

    @Test
    void anErrorDoesNotKeepTheRestFromBeingClosed() {
        assertThatThrownBy(
                        () -> {
                            try (var undo = new Rollback()) {
                                undo.add(named("a"));
                                undo.add(() -> {
                                    throw new StackOverflowError("deep");
                                });
                            }
                        })
                .isInstanceOf(StackOverflowError.class);
        assertThat(closed).containsExactly("a");
    }

    @Test
    void anInterruptIsRememberedAndTheRestIsClosed() throws Exception {
        try (var undo = new Rollback()) {
            undo.add(named("a"));
            undo.add(failing("b", new InterruptedException()));
        }
        assertThat(closed).containsExactly("b", "a");
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void closingTwiceClosesOnce() throws Exception {
        var undo = new Rollback();
        undo.add(named("a"));
        undo.close();
        undo.close();
        assertThat(closed).containsExactly("a");
    }
}
