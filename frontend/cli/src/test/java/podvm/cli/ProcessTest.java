package podvm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.node.FakePods;

/** What only a process of its own can show: signals, and the start of a private daemon. */
@Timeout(120)
class ProcessTest {
    private static final String JAVA =
            Path.of(System.getProperty("java.home"), "bin/java").toString();

    @TempDir private Path directory;

    private ProcessBuilder podvm(String... arguments) throws Exception {
        // a test run in the background of a script ignores Ctrl-C, and so would its children
        var command = new ArrayList<>(List.of("env", "--default-signal", JAVA));
        command.addAll(List.of("-XX:+UseSerialGC", "-cp", classPath()));
        command.add("-Dpodvm.home=" + home());
        command.add("podvm.cli.Main");
        command.addAll(List.of(arguments));
        var builder = new ProcessBuilder(command);
        builder.environment().put("PODVM_RUN", directory.resolve("run").toString());
        builder.redirectError(new File(directory.toFile(), "err"));
        return builder;
    }

    private static String classPath() {
        return System.getProperty(
                "surefire.test.class.path", System.getProperty("java.class.path"));
    }

    /** A podvmd that is FakeNode. */
    private Path home() throws Exception {
        var program = directory.resolve("home/bin/podvmd");
        if (!Files.exists(program)) {
            Files.createDirectories(program.getParent());
            Files.writeString(
                    program,
                    "#!/bin/sh\necho $$ >> $PODVM_RUN/pids\nexec %s -XX:+UseSerialGC -cp '%s' podvm.cli.FakeNode \"$@\"\n"
                            .formatted(JAVA, classPath()));
            Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwx------"));
        }
        return directory.resolve("home");
    }

    private void endDaemons() throws Exception {
        for (var pid : Files.readAllLines(directory.resolve("run/pids"))) {
            var daemon = ProcessHandle.of(Long.parseLong(pid));
            if (daemon.isPresent()) {
                daemon.get().destroy();
                daemon.get().onExit().get(20, TimeUnit.SECONDS);
            }
        }
    }

    private static String output(Process process) throws Exception {
        return new String(process.getInputStream().readAllBytes());
    }

    @Test
    void severalCommandsAtOnceStartOneDaemon() throws Exception {
        var commands = new ArrayList<Process>();
        for (var i = 0; i < 3; i++) {
            commands.add(podvm("version").start());
        }
        try {
            for (var command : commands) {
                assertThat(output(command)).contains("podvmd   0.0-fake");
                assertThat(command.waitFor()).isZero();
            }
            assertThat(directory.resolve("run/pids")).content().hasLineCount(1);
            assertThat(directory.resolve("run/podvmd.log"))
                    .content()
                    .contains("fake podvmd --private");
        } finally {
            endDaemons();
        }
    }

    @Test
    void aStartedDaemonLeavesTheCallersDirectoryAlone() throws Exception {
        var here = Files.createDirectory(directory.resolve("here"));
        var builder = podvm("version").directory(here.toFile());
        builder.environment().put("PODVM_STATE", "state");
        try {
            assertThat(builder.start().waitFor()).isZero();
            var daemon =
                    Path.of("/proc", Files.readAllLines(directory.resolve("run/pids")).getFirst());
            assertThat(Files.readSymbolicLink(daemon.resolve("cwd"))).isEqualTo(Path.of("/"));
            assertThat(Files.readString(daemon.resolve("environ")).split("\0"))
                    .contains("PODVM_STATE=" + here.resolve("state"));
        } finally {
            endDaemons();
        }
    }

    @Test
    void aDaemonThatDiesInItsStartIsQuoted() throws Exception {
        var builder = podvm("ps");
        builder.environment().put("FAKE_FAILURE", "no luck");
        assertThat(builder.start().waitFor()).isEqualTo(125);
        assertThat(directory.resolve("err"))
                .content()
                .contains("podvm: podvmd ended while it started, exit code 3")
                .contains("  | cannot start: no luck");
    }

    @Test
    void ctrlCStopsThePodAndIs130() throws Exception {
        var pods = new FakePods();
        try (var _ = FakeNode.start(directory.resolve("run"), pods)) {
            var manifest =
                    Files.writeString(
                            directory.resolve("pod.yaml"),
                            """
                            apiVersion: v1
                            kind: Pod
                            metadata: {name: p}
                            spec: {containers: [{name: c, image: i, command: [sleep]}]}
                            """);
            var command = podvm("run", manifest.toString()).start();
            while (pods.list().isEmpty() || pods.list().getFirst().phase().ended()) {
                Thread.sleep(20);
            }
            Thread.sleep(500);
            new ProcessBuilder("kill", "-INT", Long.toString(command.pid())).start().waitFor();
            assertThat(command.waitFor()).isEqualTo(130);
            assertThat(pods.list().getFirst().exitCode()).isEqualTo(143);
            assertThat(directory.resolve("err")).content().contains("Ctrl-C again kills");
        }
    }

    @Test
    void anExecOnATerminalIsRawAndGivesItBack() throws Exception {
        var pods = new FakePods();
        try (var _ = FakeNode.start(directory.resolve("run"), pods)) {
            new CommandLine(directory.resolve("run"))
                    .withInput(
                            """
                            apiVersion: v1
                            kind: Pod
                            metadata: {name: p}
                            spec: {containers: [{name: c, image: i, command: [sleep]}]}
                            """,
                            "run",
                            "-d",
                            "-");
            var inner = String.join(" ", podvm("exec", "-it", "p", "--", "cat").command());
            var script =
                    new ProcessBuilder(
                            "script",
                            "-qec",
                            "stty rows 40 cols 100; stty -a | grep -o ' icanon'; "
                                    + inner
                                    + "; echo code $?; stty -a | grep -o ' icanon'",
                            "/dev/null");
            script.environment().put("PODVM_RUN", directory.resolve("run").toString());
            var process = script.redirectErrorStream(true).start();
            while (pods.openSessions() == 0) {
                Thread.sleep(20);
            }
            Thread.sleep(300);
            process.getOutputStream().write("key".getBytes());
            process.getOutputStream().flush();
            Thread.sleep(500);
            // the fake's cat ends with its pod's session: by the shell's own signal it would not
            for (var child : process.toHandle().descendants().toList()) {
                if (child.info().command().orElse("").endsWith("java")) {
                    child.destroy();
                }
            }
            var output = output(process);
            assertThat(output).contains("key").contains("code 143");
            assertThat(output.split(" icanon", -1)).hasSize(3);
        }
    }
}
