package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What a command that has ended left. */
record Outcome(List<String> command, int exit, String out, String err) {
    private static final JsonMapper JSON = new JsonMapper();

    /** Succeeds where the exit code is the given one; tells all of the output where it is not. */
    Outcome expect(int code) {
        assertThat(exit).as("exit code of %s", this).isEqualTo(code);
        return this;
    }

    JsonNode json() {
        return JSON.readTree(out);
    }

    List<String> lines() {
        return out.lines().toList();
    }

    @Override
    public String toString() {
        return "%s%n--- stdout%n%s--- stderr%n%s--- exit code %d%n"
                .formatted(String.join(" ", command), shortened(out), shortened(err), exit);
    }

    private static String shortened(String text) {
        return text.length() <= 20_000
                ? text
                : text.substring(0, 10_000) + "\n[...]\n" + text.substring(text.length() - 10_000);
    }
}
