package podvm.cri.streaming;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import podvm.engine.PodException;

class TokensTest {
    private static final Destination ANY =
            new Destination.Ports(_ -> {
                throw new IllegalStateException();
            });

    private final AtomicLong now = new AtomicLong();
    private final Tokens tokens = new Tokens(now::get);

    @Test
    void aTokenIsForgottenAfterAMinute() throws Exception {
        var token = tokens.add(ANY);
        now.addAndGet(Tokens.LIFE.toNanos());

        assertThat(tokens.take(token)).isEmpty();
    }

    @Test
    void aTokenServesOnceWithinItsMinute() throws Exception {
        var token = tokens.add(ANY);
        now.addAndGet(Tokens.LIFE.toNanos() - 1);

        assertThat(tokens.take(token)).contains(ANY);
        assertThat(tokens.take(token)).isEmpty();
    }

    @Test
    void promisesThatNobodyFetchesDoNotPileUp() throws Exception {
        for (int i = 0; i < Tokens.MOST; i++) {
            tokens.add(ANY);
        }

        assertThatThrownBy(() -> tokens.add(ANY))
                .isInstanceOf(PodException.class)
                .hasMessageContaining("1000");
        now.addAndGet(Tokens.LIFE.toNanos());
        assertThat(tokens.add(ANY)).hasSize(24);
    }
}
