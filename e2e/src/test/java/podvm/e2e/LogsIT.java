package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** One pod that counts, says something on both streams, and waits to be told to end. */
class LogsIT {
    @RegisterExtension static final Node node = Node.with("log.file-mib=1", "log.files=3");

    private static String id = "";

    @BeforeAll
    static void aPodCounts() throws Exception {
        id =
                node.running(
                        """
                        apiVersion: v1
                        kind: Pod
                        metadata: {name: counter}
                        spec:
                          restartPolicy: Never
                          terminationGracePeriodSeconds: 60
                          containers:
                            - name: one
                              image: localhost/box:1
                              command:
                                - sh
                                - -c
                                - |
                                  trap 'echo last; exit 0' TERM
                                  seq 1 100
                                  echo problem >&2
                                  until [ -e /tmp/go ]; do usleep 50000; done
                                  printf 'unfinished'
                                  while true; do usleep 50000; done
                            - name: two
                              image: localhost/box:1
                              command: [sh, -c, 'trap "exit 0" TERM; echo other; while true; do usleep 50000; done']
                        """);
        Wait.until(
                "the pod has counted", () -> node.podvm("logs", "counter").out().contains("other"));
        Wait.until(
                "the pod has counted",
                () -> node.podvm("logs", "-c", "one", "counter").err().contains("problem"));
    }

    private static Outcome logs(String... words) throws Exception {
        var all = new ArrayList<>(List.of("logs"));
        all.addAll(List.of(words));
        all.add("counter");
        return node.podvm(all.toArray(String[]::new)).expect(0);
    }

    private static List<String> numbers(int from, int to) {
        return IntStream.rangeClosed(from, to).mapToObj(Integer::toString).toList();
    }

    @Test
    void oneContainersLogIsWholeAndOnItsStreams() throws Exception {
        var log = logs("-c", "one");
        assertThat(log.lines()).startsWith(numbers(1, 100).toArray(String[]::new));
        assertThat(log.err()).isEqualTo("problem\n");
    }

    @Test
    void withoutAContainerAllArePrinted() throws Exception {
        assertThat(logs("--prefix").lines())
                .anyMatch(line -> line.matches("one\\s*\\| 100"))
                .anyMatch(line -> line.matches("two\\s*\\| other"));
    }

    @Test
    void tailPrintsTheNewestLines() throws Exception {
        var tail = logs("-c", "two", "--tail", "1");
        assertThat(tail.out()).isEqualTo("other\n");
        var three = logs("-c", "one", "--tail", "3");
        assertThat(three.out() + three.err()).isEqualTo("99\n100\nproblem\n");
    }

    @Test
    void sinceLeavesOutWhatIsOlder() throws Exception {
        assertThat(logs("-c", "one", "--since", "1h").lines()).contains("1", "100");
        var future = Instant.now().plusSeconds(3600).toString();
        assertThat(logs("-c", "one", "--since", future).out()).isEmpty();
    }

    @Test
    void timestampsAreRfc3339() throws Exception {
        assertThat(logs("-c", "two", "--timestamps").out())
                .matches(
                        "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d+(Z|[+-]\\d\\d:\\d\\d) other\n");
    }

    @Test
    void theFilesAreInTheFormatOfTheCri() throws Exception {
        var file = files("one").getFirst();
        assertThat(Files.readAllLines(file))
                .allMatch(line ->
                        line.matches("\\S+T\\S+(Z|[+-]\\d\\d:\\d\\d) (stdout|stderr) [FP] .*"))
                .anyMatch(line -> line.endsWith(" stdout F 100"))
                .anyMatch(line -> line.endsWith(" stderr F problem"));
    }

    private static List<Path> files(String container) throws IOException {
        try (var all = Files.walk(node.state().resolve("pods/" + id + "/logs"))) {
            return all.filter(file ->
                            file.toString().contains("/" + container + "/")
                                    && file.toString().endsWith(".log"))
                    .sorted()
                    .toList();
        }
    }

    @Test
    void anUnknownContainerIsRefusedWithTheNamesOfThoseThatAreThere() throws Exception {
        var refused = node.podvm("logs", "-c", "three", "counter").expect(125);
        assertThat(refused.err()).contains("three").contains("one").contains("two");
    }

    @Test
    void followingShowsWhatComesAndEndsWithThePod() throws Exception {
        node.detached(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: brief}
                spec:
                  restartPolicy: Never
                  containers:
                    - name: main
                      image: localhost/box:1
                      command: [sh, -c, 'echo one; until [ -e /tmp/go ]; do usleep 50000; done; printf two']
                """);
        try (var follow = node.start("logs", "-f", "brief")) {
            follow.awaitOutput("one\n");
            node.shell("brief", "main", "touch /tmp/go");
            assertThat(follow.await().expect(0).lines()).containsExactly("one", "two");
        }
    }

    /** The pod's memory is far smaller than what it writes, and so is the space for its log. */
    @Test
    void fiftyMegabytesOfOutputPassThroughASmallMachineAndTheOldestIsRotatedAway()
            throws Exception {
        var ended =
                node.podvm(
                                "run",
                                node.manifest(
                                                """
                                                apiVersion: v1
                                                kind: Pod
                                                metadata: {name: torrent}
                                                spec:
                                                  restartPolicy: Never
                                                  containers:
                                                    - name: main
                                                      image: localhost/box:1
                                                      command: [sh, -c, 'yes 0123456789012345678901234567890123456789012345678 | head -c 52428800; echo end']
                                                      resources: {limits: {memory: 16Mi, cpu: "1"}}
                                                """)
                                        .toString())
                        .expect(0);

        assertThat(ended.out()).hasSize(52_428_800 + 4).endsWith("\nend\n");
        var torrent = node.inspect("torrent").path("id").asString();
        try (var all = Files.walk(node.state().resolve("pods/" + torrent + "/logs"))) {
            var parts = all.filter(Files::isRegularFile).toList();
            assertThat(parts).hasSizeBetween(1, 3);
            for (var part : parts) {
                assertThat(Files.size(part)).isLessThan(3 << 20);
            }
        }
        assertThat(node.podvm("logs", "--tail", "1", "torrent").expect(0).out()).isEqualTo("end\n");
    }
}
