package podvm.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** The one client of both runtimes: e2e/tools/yardstick. */
record Yardstick(Path program) {
    private static final JsonMapper JSON = new JsonMapper();

    /** Each measurement, as the client has told it. */
    List<JsonNode> run(String what, Path ours, Path theirs, String image, String... more)
            throws IOException, InterruptedException {
        var words = new ArrayList<>(List.of(program.toString(), what));
        words.addAll(List.of("-ours", ours.toString(), "-theirs", theirs.toString()));
        words.addAll(List.of("-image", image));
        words.addAll(List.of(more));
        var process =
                new ProcessBuilder(words).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        var found = new ArrayList<JsonNode>();
        try (var lines = process.inputReader()) {
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                System.err.println(line);
                found.add(JSON.readTree(line));
            }
        }
        if (process.waitFor() != 0) {
            throw new IOException(what + " was not measured: the client's message is above");
        }
        return found;
    }

    /** One figure of one verb, pair by pair. */
    static Pairs pairs(List<JsonNode> all, String what, String figure) {
        var pairs = new Pairs(new ArrayList<>(), new ArrayList<>());
        for (var one : all) {
            if (one.path("what").asString("").equals(what)) {
                pairs.subject().add(one.path("ours").path(figure).asDouble());
                pairs.control().add(one.path("theirs").path(figure).asDouble());
            }
        }
        return pairs;
    }
}
