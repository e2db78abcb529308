package podvm.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** exec, attach and console on pods that run. */
class StreamsIT {
    @RegisterExtension static final Node node = Node.ordinary();

    @BeforeAll
    static void aPodRuns() throws Exception {
        node.running(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: box}
                spec:
                  restartPolicy: Never
                  terminationGracePeriodSeconds: 1
                  containers:
                    - name: main
                      image: localhost/box:1
                      command: [sleep, "100000"]
                      env: [{name: OWN, value: manifest}]
                    - name: echo
                      image: localhost/box:1
                      stdin: true
                      command: [sh, -c, 'while read line; do echo "heard $line"; [ "$line" != end ] || exit 6; done']
                    - name: shell
                      image: localhost/box:1
                      stdin: true
                      tty: true
                      command: [sh]
                """);
    }

    /** A command on a terminal of its own, of the given size. */
    private static Running onTerminal(int rows, int columns, String... words) throws Exception {
        var line =
                "stty rows %d cols %d; echo terminal=$(tty); exec '%s'"
                        .formatted(rows, columns, String.join("' '", node.command(words)));
        return node.startProgram(List.of("script", "-qefc", line, "/dev/null"));
    }

    @Test
    void execPrintsBothStreamsAndPassesTheExitCode() throws Exception {
        var ended =
                node.podvm("exec", "box", "--", "sh", "-c", "echo out; echo err >&2; exit 42")
                        .expect(42);
        assertThat(ended.out()).isEqualTo("out\n");
        assertThat(ended.err()).isEqualTo("err\n");
    }

    @Test
    void aSignalEndsWith128AndItsNumber() throws Exception {
        node.podvm("exec", "box", "--", "sh", "-c", "kill -TERM $$").expect(143);
    }

    @Test
    void aMissingCommandIs127AndOneThatIsNoProgramIs126() throws Exception {
        assertThat(node.podvm("exec", "box", "--", "no-such-command").expect(127).err())
                .contains("no-such-command");
        assertThat(node.podvm("exec", "box", "--", "/not-executable").expect(126).err())
                .contains("/not-executable");
    }

    @Test
    void stdinReachesTheCommandToItsEnd() throws Exception {
        var text = "0123456789\n".repeat(20_000);
        assertThat(node.podvmReading(text, "exec", "-i", "box", "--", "md5sum").expect(0).out())
                .startsWith(md5(text));
        assertThat(node.podvmReading(text, "exec", "-i", "box", "--", "cat").expect(0).out())
                .isEqualTo(text);
    }

    private static String md5(String text) throws Exception {
        var digest = MessageDigest.getInstance("MD5").digest(text.getBytes(UTF_8));
        return HexFormat.of().formatHex(digest);
    }

    @Test
    void withoutInteractiveStdinIsEmpty() throws Exception {
        assertThat(node.podvmReading("unheard", "exec", "box", "--", "cat").expect(0).out())
                .isEmpty();
    }

    @Test
    void theContainersEnvironmentIsThereAndCanBeAddedTo() throws Exception {
        var said =
                node.podvm(
                                "exec",
                                "-e",
                                "MORE=added",
                                "-w",
                                "/var",
                                "box",
                                "--",
                                "sh",
                                "-c",
                                "echo $OWN $MORE $PWD")
                        .expect(0);
        assertThat(said.out()).isEqualTo("manifest added /var\n");
    }

    @Test
    void theUserCanBeChosen() throws Exception {
        assertThat(node.podvm("exec", "-u", "app", "box", "--", "id", "-un").expect(0).out())
                .isEqualTo("app\n");
    }

    @Test
    void aTerminalIsRealAndFollowsTheSizeOfTheUsers() throws Exception {
        try (var exec = onTerminal(33, 101, "exec", "-it", "box", "--", "sh")) {
            exec.type("tty; stty size\n");
            exec.awaitOutput(
                    out -> out.contains("/dev/pts/") && out.contains("33 101"), "tty and size");
            var matcher = Pattern.compile("terminal=(/dev/pts/\\d+)").matcher(exec.out());
            assertThat(matcher.find()).isTrue();
            Host.command("stty", "-F", matcher.group(1), "rows", "44", "cols", "88");
            exec.type(
                    "until [ \"$(stty size)\" = '44 88' ]; do usleep 50000; done; echo re''sized; exit 9\n");
            exec.awaitOutput("resized");
            assertThat(exec.await().exit()).isEqualTo(9);
        }
    }

    @Test
    void controlCOnATerminalReachesTheProgramInsideAndNotTheCommand() throws Exception {
        try (var exec = onTerminal(24, 80, "exec", "-it", "box", "--", "sh")) {
            exec.type(
                    "trap 'echo inter''rupted' INT; echo rea''dy; while true; do usleep 50000; done\n");
            exec.awaitOutput("ready");
            exec.type("\u0003");
            exec.awaitOutput("interrupted");
        }
    }

    @Test
    void theUsersTerminalIsRestored() throws Exception {
        var line =
                "before=$(stty -g); '%s'; [ \"$(stty -g)\" = \"$before\" ] && echo re''stored"
                        .formatted(
                                String.join(
                                        "' '", node.command("exec", "-it", "box", "--", "true")));
        try (var script = node.startProgram(List.of("script", "-qefc", line, "/dev/null"))) {
            script.awaitOutput("restored");
        }
    }

    @Test
    void attachTalksToTheContainersOwnProcessAndPassesItsExitCode() throws Exception {
        try (var attached = node.start("attach", "-c", "echo", "box")) {
            attached.type("hello\n");
            attached.awaitOutput("heard hello");
            attached.type("end\n");
            attached.awaitOutput("heard end");
            assertThat(attached.await().exit()).isEqualTo(6);
        }
    }

    @Test
    void attachToATerminalIsATerminal() throws Exception {
        try (var attached = onTerminal(30, 90, "attach", "-c", "shell", "box")) {
            attached.type("stty size; echo on $(tty)\n");
            attached.awaitOutput(
                    out -> out.contains("30 90") && out.contains("on /dev/"), "size and tty");
        }
    }

    @Test
    void theConsoleShowsWhatTheGuestSays() throws Exception {
        assertThat(node.podvm("console", "box").expect(0).out()).contains("podvm-agent");
    }

    @Test
    void execInAPodThatIsNotThereSaysSo() throws Exception {
        assertThat(node.podvm("exec", "nobody", "--", "true").expect(125).err())
                .contains("nobody")
                .contains("podvm ps");
    }

    @Test
    void manyCommandsAtOnceDoNotMixTheirOutput() throws Exception {
        var all = new ArrayList<Running>();
        for (int i = 0; i < 4; i++) {
            all.add(
                    node.start(
                            "exec",
                            "box",
                            "--",
                            "sh",
                            "-c",
                            "seq " + i * 10_000 + " " + (i * 10_000 + 2000)));
        }
        for (int i = 0; i < 4; i++) {
            try (var one = all.get(i)) {
                var lines = one.await().expect(0).lines();
                assertThat(lines).hasSize(2001).startsWith(Integer.toString(i * 10_000));
            }
        }
    }
}
