package podvm.image;

import java.nio.file.Path;
import java.time.Duration;
import podvm.engine.Deadline;
import podvm.engine.Image;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;

/** Pulls into a store in a process of its own, which a test may kill. */
final class PullProgram {
    private PullProgram() {}

    /** Arguments: the store's directory, a reference. */
    public static void main(String[] arguments) throws Exception {
        var platform = new Image.Platform("linux", "amd64");
        var options = new ImageOptions(3, Layers.LIMITS, platform);
        try (var store = ImageStore.open(Path.of(arguments[0]), options)) {
            store.pull(
                    arguments[1],
                    PullPolicy.ALWAYS,
                    Progress.NONE,
                    Deadline.after(Duration.ofSeconds(60)));
        }
    }
}
