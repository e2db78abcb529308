package podvm.engine.log;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import podvm.engine.PodException;
import podvm.engine.Pods.Follow;
import podvm.engine.Pods.LogQuery;
import podvm.engine.Pods.LogReader;

/** Reads logs at places that somebody else chose, and in files that somebody else moves away. */
public final class FileLogs {
    private static final int PAUSE_MILLIS = 100;

    private FileLogs() {}

    public record LogFile(String container, Path path) {}

    /**
     * @param complete nothing will be written any more
     */
    public record Present(List<LogFile> files, boolean complete) {}

    /**
     * Hands over what is there, merged by time, and with follow what comes, also of containers that
     * are new, until the logs are complete or the reader fails. Whoever moves the files away waits
     * for nobody, so that to hold them is to follow them.
     */
    public static void read(Supplier<Present> present, LogQuery query, LogReader reader)
            throws PodException, InterruptedException {
        LogMerge.read(
                query,
                reader,
                logs -> {
                    var known = new HashSet<Path>();
                    var now = present.get();
                    add(now, known, logs);
                    logs.present();
                    while (query.follow() != Follow.NO && !now.complete()) {
                        Thread.sleep(PAUSE_MILLIS);
                        now = present.get();
                        add(now, known, logs);
                        logs.more();
                    }
                });
    }

    private static void add(Present now, Set<Path> known, LogMerge logs) {
        for (var file : now.files()) {
            if (known.add(file.path())) {
                var files = LogSuccession.ofRenamed(file.path());
                logs.add(new LogTrail(file.container(), files, () -> {}));
            }
        }
    }
}
