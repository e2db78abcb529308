package podvm.node.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Random;
import org.junit.jupiter.api.Test;
import podvm.engine.PodException;

class ManifestFuzzTest {
    private static final String[] PIECES = {
        "{",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "\n",
        "&a ",
        "*a",
        "!!binary ",
        "|",
        ">",
        "\t",
        "'",
        "\"",
        "null",
        "-1",
        "99999999999999999999",
        "~",
        "<<: *a",
        "? ",
        "# ",
        "---\n",
        "\0",
        "\uFFFF",
        "%YAML 9.9\n",
        "é",
        "0777",
        "1e99",
        "$(A)",
        "../..",
        "@",
        "`"
    };

    private static final String GOOD =
            ManifestTest.HELLO
                    + """
                          resources: {limits: {cpu: 100m, memory: 64Mi}}
                          securityContext: {runAsUser: 5, capabilities: {add: [NET_RAW]}}
                          volumeMounts: [{name: v, mountPath: /v}]
                      volumes:
                        - name: v
                          configMap: {name: m, items: [{key: a, path: b, mode: 0600}]}
                    ---
                    apiVersion: v1
                    kind: ConfigMap
                    metadata: {name: m}
                    data: {a: "1"}
                    binaryData: {c: AAAA}
                    """
                            .indent(0);

    @Test
    void damagedManifestsGiveSpecsOrProblemsAndNothingElse() {
        var refused = 0;
        for (var seed = 0; seed < 20_000; seed++) {
            var text = damage(new Random(seed));
            try {
                Manifest.parse(text.getBytes(UTF_8), "fuzz");
            } catch (PodException e) {
                refused++;
                assertThat(e.getCause()).as(text).isInstanceOf(ManifestProblems.class);
                assertThat(((ManifestProblems) e.getCause()).list())
                        .allMatch(p -> p.line() > 0 && p.column() > 0 && !p.message().isBlank());
            } catch (RuntimeException | StackOverflowError e) {
                throw new AssertionError("seed " + seed + ":\n" + text, e);
            }
        }
        assertThat(refused).isGreaterThan(1000).isLessThan(20_000);
    }

    private static String damage(Random random) {
        var text = new StringBuilder(GOOD);
        for (var i = random.nextInt(3); i >= 0; i--) {
            var at = random.nextInt(text.length());
            switch (random.nextInt(4)) {
                case 0 -> text.deleteCharAt(at);
                case 1 -> text.insert(at, PIECES[random.nextInt(PIECES.length)]);
                case 2 -> text.delete(at, Math.min(text.length(), at + random.nextInt(30)));
                default -> {
                    var end = Math.min(text.length(), at + random.nextInt(60));
                    text.insert(random.nextInt(text.length()), text.substring(at, end));
                }
            }
        }
        return text.toString();
    }
}
