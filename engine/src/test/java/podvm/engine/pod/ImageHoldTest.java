package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static podvm.engine.fake.PodBuilder.pod;

import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.PodId;

/** A pod keeps its images as long as it may need them. */
@Timeout(60)
class ImageHoldTest {
    @TempDir Path directory;

    private static PodId start(Rig rig, CountDownLatch end) throws Exception {
        rig.node.programs.put(
                "hold",
                _ -> {
                    end.await();
                    return 0;
                });
        var id = rig.run(pod("web").run("hold").build());
        rig.awaitRunning(id, "hold");
        return id;
    }

    private static void assertHeld(Rig rig, PodId pod) {
        var image = rig.node.images.find("image").orElseThrow().id();
        assertThat(rig.node.images.holds()).containsEntry(pod, Set.of(image));
    }

    @Test
    void anImageIsHeldUntilThePodHasEnded() throws Exception {
        try (var rig = new Rig(directory)) {
            var end = new CountDownLatch(1);
            var id = start(rig, end);
            assertHeld(rig, id);
            end.countDown();
            rig.awaitEnd(id);
            assertThat(rig.node.images.holds()).isEmpty();
        }
    }

    @Test
    void theNextDaemonHoldsWhatRunningPodsUseBeforeItServes() throws Exception {
        try (var rig = new Rig(directory)) {
            var end = new CountDownLatch(1);
            var id = start(rig, end);
            rig.pods.close();
            rig.node.images.holds().clear();
            rig.pods = Rig.open(rig.node.ports(), Rig.SETTINGS, Rig.PATIENT);
            assertHeld(rig, id);
            end.countDown();
            rig.awaitEnd(id);
            assertThat(rig.node.images.holds()).isEmpty();
        }
    }

    @Test
    void anImageThatIsRemovedBetweenPullAndHoldIsPulledAgain() throws Exception {
        try (var rig = new Rig(directory)) {
            rig.node.images.loseOnce();
            var id = rig.run(pod("web").run("true").build());
            assertThat(rig.awaitEnd(id).phase()).isEqualTo(podvm.engine.PodStatus.Phase.SUCCEEDED);
            assertThat(rig.node.images.pulls()).isEqualTo(2);
        }
    }
}
