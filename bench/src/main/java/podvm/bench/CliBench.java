package podvm.bench;

import java.util.LinkedHashMap;

/**
 * `podvm ps` as a whole process, with a daemon running, against `java -version` of the same JDK.
 */
record CliBench(Place place) {
    Result run(int pairs) throws Exception {
        try (var node = Node.start(place)) {
            var measured =
                    Pairs.measure(
                            pairs,
                            "ms",
                            () -> time(node.podvm(place, "ps")),
                            () ->
                                    time(
                                            new ProcessBuilder(place.java().toString(), "-version")
                                                    .redirectErrorStream(true)
                                                    .redirectOutput(
                                                            ProcessBuilder.Redirect.DISCARD)));
            return new Result(
                    "cli",
                    measured,
                    "ms",
                    "podvm ps",
                    "java -version",
                    3.0,
                    2.0,
                    new LinkedHashMap<>());
        }
    }

    private static double time(ProcessBuilder command) throws Exception {
        long began = System.nanoTime();
        int code = command.start().waitFor();
        if (code != 0) {
            throw new IllegalStateException(command.command() + " ended with exit code " + code);
        }
        return (System.nanoTime() - began) / 1e6;
    }
}
