package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** podvmd killed with SIGKILL, at moments that nobody chose. */
class DaemonDeathIT {
    private static final int KILLS = 3;
    private static final int STARTS = 4;

    /** A start without acceleration takes about as long. */
    private static final int LONGEST_DELAY_MS = 3000;

    @RegisterExtension static final Node node = Node.ordinary();

    private static final String COUNTER =
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: counter}
            spec:
              restartPolicy: Never
              terminationGracePeriodSeconds: 30
              containers:
                - name: main
                  image: localhost/box:1
                  command:
                    - sh
                    - -c
                    - |
                      trap 'echo end; exit 0' TERM
                      i=0
                      while true; do i=$((i+1)); echo $i; usleep 10000; done
                - name: talk
                  image: localhost/box:1
                  stdin: true
                  command: [sh, -c, 'while read line; do echo "heard $line"; done']
            """;

    @Test
    void podsRunOnAndTheNextDaemonTakesThemUpWithoutALostOrDoubledLine() throws Exception {
        var id = node.running(COUNTER);
        var machine = node.machines();
        assertThat(machine).hasSize(1);

        for (int kill = 0; kill < KILLS; kill++) {
            int more = newest() + 30;
            Wait.until("the pod has counted on", () -> newest() >= more, node::daemonLog);
            long daemon = node.daemonPid();
            node.killDaemon();
            assertThat(node.machines()).as("the machine of a killed daemon").isEqualTo(machine);

            var pods = node.podvm("ps", "-o", "json").expect(0).json();
            assertThat(node.daemonPid()).isNotEqualTo(daemon);
            assertThat(pods.toString()).contains(id);
            assertThat(node.inspect(id).path("phase").asString()).isEqualTo("Running");
            assertThat(node.shell("counter", "main", "echo exec works")).isEqualTo("exec works\n");
        }
        try (var attached = node.start("attach", "-c", "talk", "counter")) {
            attached.type("again\n");
            attached.awaitOutput("heard again");
        }
        node.podvm("stop", "counter").expect(0);

        var lines = node.podvm("logs", "-c", "main", "counter").expect(0).lines();
        assertThat(lines).last().isEqualTo("end");
        var numbers = lines.subList(0, lines.size() - 1);
        assertThat(numbers)
                .isEqualTo(
                        IntStream.rangeClosed(1, numbers.size())
                                .mapToObj(Integer::toString)
                                .toList());
        assertThat(node.machines()).isEmpty();
    }

    @AfterEach
    void nothingIsCarriedOverToTheNextTest() throws Exception {
        node.removeAll();
    }

    private static int newest() throws Exception {
        var lines = node.podvm("logs", "-c", "main", "--tail", "1", "counter").expect(0).lines();
        return lines.isEmpty() ? 0 : Integer.parseInt(lines.getLast());
    }

    @Test
    void aPodThatEndedWhileNoDaemonRanIsReportedByTheNext() throws Exception {
        node.running(COUNTER.replace("name: counter", "name: orphan"));
        node.killDaemon();
        for (long machine : node.machines()) {
            Host.signal(machine, "KILL");
        }
        Wait.until("the machine is gone", () -> node.machines().isEmpty());

        node.podvm("wait", "orphan").expect(137);
        assertThat(node.inspect("orphan").path("reason").asString()).isEqualTo("VmmKilled");
        assertThat(node.inspect("orphan").path("message").asString())
                .contains("while no daemon ran");
    }

    @Test
    void aStartThatWasCutShortIsCompletedOrNeverHappened() throws Exception {
        long seed = System.nanoTime();
        System.out.println("Moments of death come from seed " + seed + ".");
        var random = new Random(seed);
        for (int start = 0; start < STARTS; start++) {
            var name = "start-" + start;
            var manifest =
                    node.manifest(
                            """
                            apiVersion: v1
                            kind: Pod
                            metadata: {name: %s}
                            spec:
                              restartPolicy: Never
                              containers:
                                - {name: main, image: "localhost/box:1", command: [sh, -c, echo once; sleep 100000]}
                            """
                                    .formatted(name));
            node.podvm("version").expect(0);
            try (var run = node.start("run", "-d", manifest.toString())) {
                // the moment is the test's subject, nothing is waited for
                Thread.sleep(random.nextInt(LONGEST_DELAY_MS));
                node.killDaemon();
                run.await();
            }
            var known =
                    node.podvm("ps", "-a", "-o", "json").expect(0).json().toString().contains(name);
            if (known) {
                node.awaitPhase(name, "Running");
                Wait.until(
                        name + " has spoken",
                        () -> node.podvm("logs", name).out().equals("once\n"),
                        node::daemonLog);
                assertThat(node.machines()).hasSize(1);
                node.podvm("rm", "-f", name).expect(0);
            }
            assertNothingIsLeft();
        }
    }

    private static void assertNothingIsLeft() throws Exception {
        assertThat(node.machines()).isEmpty();
        assertThat(names("run/pods")).isEmpty();
        assertThat(names("state/pods")).isEmpty();
        try (var all = Files.walk(node.state())) {
            assertThat(all.map(path -> path.getFileName().toString()))
                    .noneMatch(name -> name.contains("scratch."));
        }
    }

    private static List<String> names(String folder) throws Exception {
        try (var all = Files.list(node.base().resolve(folder))) {
            return all.map(path -> path.getFileName().toString()).toList();
        }
    }

    @Test
    void aDaemonThatIsToldToEndLeavesItsPodsToTheNext() throws Exception {
        node.running(COUNTER.replace("name: counter", "name: handed-over"));
        var machine = node.machines();
        node.stopDaemon();
        assertThat(node.run().resolve("node.sock")).doesNotExist();
        assertThat(node.machines()).isEqualTo(machine);

        assertThat(node.shell("handed-over", "main", "echo here")).isEqualTo("here\n");
        node.podvm("rm", "-f", "handed-over").expect(0);
    }
}
