package podvm.node;

import java.io.IOException;
import java.time.Instant;
import java.util.Optional;
import podvm.engine.PodChange;
import podvm.engine.PodChange.Kind;
import podvm.engine.PodChanges;
import podvm.engine.Pods;

/** Each pod was created, and its containers exited with 3; some before that were lost. */
record FakeChanges(Pods pods) implements PodChanges {
    @Override
    public void read(boolean follow, Optional<Instant> since, Reader reader) {
        try {
            for (var pod : pods.list()) {
                if (since.isPresent() && since.get().isAfter(pod.created())) {
                    continue;
                }
                reader.change(
                        new PodChange(
                                pod.created(), pod, Optional.empty(), Kind.CREATED, 0, "", ""));
                for (var container : pod.containers()) {
                    reader.change(
                            new PodChange(
                                    pod.created(),
                                    pod,
                                    Optional.of(container.name()),
                                    Kind.EXITED,
                                    3,
                                    "Error",
                                    ""));
                }
            }
            if (follow) {
                reader.lost(7);
            }
        } catch (IOException _) {
            // as the port says: quietly
        }
    }
}
