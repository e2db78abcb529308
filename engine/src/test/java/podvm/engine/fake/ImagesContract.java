package podvm.engine.fake;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.Images;
import podvm.engine.Images.Unwanted;
import podvm.engine.LayerCheck;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;

/** What the engine and the frontends rely on, whoever holds the images. */
public abstract class ImagesContract {
    private static final String ONE = "localhost/one:1";
    private static final String TWO = "localhost/two:1";

    /** Empty at first. */
    protected abstract Images images() throws Exception;

    /** Brings in an image of one layer, another one for each name. */
    protected abstract Image add(String name) throws Exception;

    private interface Call {
        void run() throws Exception;
    }

    private static void assertRefused(Kind kind, Call call) {
        assertThatThrownBy(call::run)
                .isInstanceOfSatisfying(
                        PodException.class, e -> assertThat(e.kind()).isEqualTo(kind));
    }

    @Test
    void anImageIsFoundByNameAndByIdAndListed() throws Exception {
        var one = add(ONE);
        assertThat(images().find(ONE)).contains(one);
        assertThat(images().find(one.id().toString())).contains(one);
        assertThat(images().find(TWO)).isEmpty();
        assertThat(images().list()).containsExactly(one);
        assertThat(images().fullName(ONE)).isEqualTo(ONE);
        var deadline = Deadline.after(Duration.ofSeconds(10));
        assertThat(images().pull(ONE, PullPolicy.NEVER, Progress.NONE, deadline)).isEqualTo(one);
    }

    @Test
    void whatIsNotThereIsNotFound() throws Exception {
        var deadline = Deadline.after(Duration.ofSeconds(10));
        assertRefused(
                Kind.NOT_FOUND,
                () -> images().pull(ONE, PullPolicy.NEVER, Progress.NONE, deadline));
        assertRefused(Kind.NOT_FOUND, () -> images().details(ONE));
        assertRefused(Kind.NOT_FOUND, () -> images().tag(ONE, TWO));
        assertRefused(Kind.NOT_FOUND, () -> images().remove(ONE));
        assertThat(images().hold(PodId.random(), "default/web", new Digest("0".repeat(64))))
                .isFalse();
    }

    @Test
    void anImageGoesWithItsLastName() throws Exception {
        var one = add(ONE);
        assertThat(images().tag(ONE, TWO).names()).containsExactly(ONE, TWO);
        var first = images().remove(ONE);
        assertThat(first.names()).containsExactly(ONE);
        assertThat(first.images()).isEmpty();
        assertThat(images().find(TWO).orElseThrow().id()).isEqualTo(one.id());
        assertThat(images().remove(TWO).images()).containsExactly(one.id());
        assertThat(images().list()).isEmpty();
    }

    @Test
    void anIdStandsForAllNames() throws Exception {
        var one = add(ONE);
        images().tag(ONE, TWO);
        assertThat(images().remove(one.id().toString()).names())
                .containsExactlyInAnyOrder(ONE, TWO);
        assertThat(images().list()).isEmpty();
    }

    @Test
    void whatAPodHoldsStaysUntilThePodIsReleased() throws Exception {
        var one = add(ONE);
        var pod = PodId.random();
        assertThat(images().hold(pod, "default/web", one.id())).isTrue();
        assertThat(images().hold(pod, "default/web", one.id())).isTrue();
        assertThatThrownBy(() -> images().remove(ONE)).hasMessageContaining("default/web");
        assertRefused(Kind.CONFLICT, () -> images().remove(one.id().toString()));
        assertThat(images().prune(Unwanted.ALL).images()).isEmpty();
        assertThat(images().details(ONE).pods()).containsExactly("default/web");
        images().release(pod);
        images().release(pod);
        assertThat(images().prune(Unwanted.NAMELESS).images()).isEmpty();
        assertThat(images().prune(Unwanted.ALL).images()).containsExactly(one.id());
        assertThat(images().list()).isEmpty();
    }

    @Test
    void severalPodsMayHoldOneImage() throws Exception {
        var one = add(ONE);
        var pod = PodId.random();
        images().hold(pod, "default/a", one.id());
        images().hold(PodId.random(), "default/b", one.id());
        images().release(pod);
        assertThat(images().details(ONE).pods()).containsExactly("default/b");
        assertRefused(Kind.CONFLICT, () -> images().remove(ONE));
    }

    @Test
    void wholeLayersAreToldAsSuch() throws Exception {
        var one = add(ONE);
        add(TWO);
        assertThat(images().verify(Optional.empty(), Progress.NONE)).hasSize(2);
        assertThat(images().verify(Optional.of(ONE), Progress.NONE))
                .singleElement()
                .satisfies(check -> {
                    assertThat(check.state()).isEqualTo(LayerCheck.State.WHOLE);
                    assertThat(check.images()).containsExactly(ONE);
                    assertThat(check.diffId()).isEqualTo(one.layers().getFirst().diffId());
                });
    }
}
