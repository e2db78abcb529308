package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Agent;
import podvm.engine.Agent.Ack;
import podvm.engine.Agent.ContainerPlan;
import podvm.engine.Agent.ContainerReport;
import podvm.engine.Agent.ContainerReport.Phase;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Agent.MountPlan;
import podvm.engine.Agent.MountSource;
import podvm.engine.Agent.OutputSink;
import podvm.engine.Agent.OutputStreamKind;
import podvm.engine.Agent.ResourceLimits;
import podvm.engine.Agent.SandboxSetup;
import podvm.engine.Agent.SecurityPlan;
import podvm.engine.Agent.VolumeFile;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PortConnection;

/** The client against the real agent in one real machine. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(120)
class AgentIT {
    private static final int LAST = Integer.MAX_VALUE;

    private final GrpcAgents agents = new GrpcAgents();
    private Path directory;
    private QemuGuest guest;
    private Agent agent;

    @BeforeAll
    void boot(@TempDir Path temporary) throws Exception {
        directory = temporary;
        var files = QemuGuest.files();
        if (files.isEmpty()) {
            var reason =
                    "AgentIT skipped: set PODVM_GUEST to a directory with vmlinux and"
                            + " initramfs.cpio";
            System.out.println(reason);
            abort(reason);
        }
        var begin = System.nanoTime();
        guest = QemuGuest.boot(files.orElseThrow(), directory, layer());
        try {
            agent = agents.connect(guest.address(), in(60));
        } catch (PodException e) {
            throw new AssertionError(guest.console(), e);
        }
        System.out.printf("boot to greeting: %d ms%n", millisSince(begin));
        agent.configure(
                new SandboxSetup(
                        "pod-1",
                        "",
                        "127.0.0.1 localhost\n",
                        "",
                        List.of(),
                        Map.of(),
                        "",
                        64 << 20),
                in(20));
    }

    @AfterAll
    void end() {
        if (guest != null) {
            agent.close();
            guest.close();
        }
        agents.close();
    }

    @Test
    void theAgentTellsWhatItIs() throws Exception {
        assertThat(agent.info().agentVersion()).isNotEmpty();
        assertThat(agent.info().kernelRelease()).matches("[0-9]+\\..*");
        assertThat(agent.info().agentRssBytes()).isBetween(1L << 10, 64L << 20);
    }

    @Test
    void theOutputOfAContainerArrivesCompleteAndInOrder() throws Exception {
        var container = run("seq 1 20000; echo problem >&2; exit 7");
        var output = new Collecting();
        agent.readOutput(container, output);
        assertThat(output.text(OutputStreamKind.STDOUT).lines())
                .hasSize(20000)
                .startsWith("1", "2")
                .endsWith("20000");
        assertThat(output.text(OutputStreamKind.STDERR)).isEqualTo("problem\n");
        assertThat(awaitExit(container).exitCode()).isEqualTo(7);
        agent.remove(container, in(10));
    }

    @Test
    void aPortOfAContainerPassesDataBothWays() throws Exception {
        var content = new byte[16 << 20];
        new java.util.Random(1).nextBytes(content);
        var container = run("nc -ll -p 7000 -e cat");
        Optional<PortConnection> reached = Optional.empty();
        while (reached.isEmpty()) {
            try {
                reached = Optional.of(agent.ports().connect(7000));
            } catch (PodException e) {
                assertThat(e.kind()).isEqualTo(Kind.CONFLICT);
                Thread.sleep(20);
            }
        }
        try (var connection = reached.get()) {
            var back = new ByteArrayOutputStream();
            var reader =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    for (var data = connection.receive();
                                            data.length > 0;
                                            data = connection.receive()) {
                                        back.writeBytes(data);
                                    }
                                } catch (PodException | InterruptedException e) {
                                    // what is missing is seen below
                                }
                            });
            connection.send(content);
            connection.endOfInput();
            reader.join();
            assertThat(Arrays.equals(back.toByteArray(), content)).isTrue();
        }
        assertKind(Kind.CONFLICT, () -> agent.ports().connect(7001));
        agent.remove(container, in(10));
    }

    @Test
    void unacknowledgedOutputComesAgainOnTheNextConnection() throws Exception {
        var container = run("echo one; sleep 1; echo two");
        var first = new Collecting();
        first.acknowledging = false;
        var reader =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                agent.readOutput(container, first);
                            } catch (PodException | InterruptedException e) {
                                // the connection is cut below
                            }
                        });
        while (!first.text(OutputStreamKind.STDOUT).contains("one")) {
            Thread.sleep(10);
        }
        agent.close();
        reader.join();
        agent = agents.connect(guest.address(), in(20));
        assertThat(agent.info().configured()).isTrue();

        var second = new Collecting();
        agent.readOutput(container, second);
        assertThat(second.text(OutputStreamKind.STDOUT)).isEqualTo("one\ntwo\n");
        agent.remove(container, in(10));
    }

    @Test
    void manyReconnectionsInARowSucceed() throws Exception {
        var millis = new long[20];
        for (int i = 0; i < millis.length; i++) {
            agent.close();
            var begin = System.nanoTime();
            agent = agents.connect(guest.address(), in(20));
            millis[i] = millisSince(begin);
        }
        System.out.println("reconnects, ms: " + Arrays.toString(millis));
    }

    @Test
    void inputReachesTheContainerAndItsEndToo() throws Exception {
        var container = run("cat; echo end", true);
        var text = "line\n".repeat(100_000).getBytes(StandardCharsets.UTF_8);
        var writer =
                Thread.ofVirtual()
                        .start(() -> {
                            try (var input = agent.openInput(container)) {
                                input.write(text, 0, text.length);
                            } catch (PodException | InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        var output = new Collecting();
        agent.readOutput(container, output);
        writer.join();
        assertThat(output.text(OutputStreamKind.STDOUT)).hasSize(text.length + 4).endsWith("end\n");
        agent.remove(container, in(10));
    }

    @Test
    void aProcessIsExecutedWithItsStreamsAndExitCode() throws Exception {
        var container = run("sleep 100");
        var output = new Printed();
        var process = Plans.process("/bin/sh", "-c", "cat; echo err >&2; exit 3");
        try (var exec = agent.exec(container, process, true, output)) {
            exec.stdin("hello".getBytes(StandardCharsets.UTF_8));
            exec.closeStdin();
            assertThat(exec.await().exitCode()).isEqualTo(3);
        }
        assertThat(output.out.toString(StandardCharsets.UTF_8)).isEqualTo("hello");
        assertThat(output.err.toString(StandardCharsets.UTF_8)).isEqualTo("err\n");
        try (var exec = agent.exec(container, Plans.process("/none"), false, output)) {
            assertThat(exec.await().exitCode()).isEqualTo(127);
        }
        agent.remove(container, in(10));
    }

    @Test
    void anExecWhoseOutputIsNotTakenHoldsNothingElseUp() throws Exception {
        var container = run("sleep 100");
        var output = new Printed();
        output.held = new CountDownLatch(1);
        try (var _ = agent.exec(container, Plans.process("yes"), false, output)) {
            Thread.sleep(1000);
            for (int i = 0; i < 10; i++) {
                agent.remove(ContainerId.random(), in(10));
            }
            output.held.countDown();
        }
        agent.remove(container, in(10));
    }

    @Test
    void volumesAreSeenAndReplacedAtOnce() throws Exception {
        agent.putVolume("cm", List.of(file("key", "one")), in(10));
        var container =
                create(
                        "cat /cm/key; while [ \"$(cat /cm/key)\" = one ]; do sleep 0.1; done;"
                                + " cat /cm/key",
                        false,
                        new MountPlan("/cm", new MountSource.Files("cm"), true, ""));
        assertThat(agent.start(container, in(20))).isEmpty();
        var output = new Collecting();
        var reader =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                agent.readOutput(container, output);
                            } catch (PodException | InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        while (output.text(OutputStreamKind.STDOUT).isEmpty()) {
            Thread.sleep(10);
        }
        agent.putVolume("cm", List.of(file("key", "two")), in(10));
        reader.join();
        assertThat(output.text(OutputStreamKind.STDOUT)).isEqualTo("onetwo");
        agent.remove(container, in(10));
    }

    @Test
    void aProgramThatIsNotThereIsTold() throws Exception {
        var container = ContainerId.random();
        agent.create(plan(container, List.of("/no/such"), false), in(20));
        var failure = agent.start(container, in(20)).orElseThrow();
        assertThat(failure.exitCode()).isEqualTo(127);
        agent.remove(container, in(10));
    }

    @Test
    void unknownContainersAreNotFound() {
        var unknown = ContainerId.random();
        assertKind(Kind.NOT_FOUND, () -> agent.start(unknown, in(10)));
        assertKind(Kind.NOT_FOUND, () -> agent.signal(unknown, 9, in(10)));
        assertKind(Kind.NOT_FOUND, () -> agent.readOutput(unknown, new Collecting()));
    }

    @Test
    void aSmallCallTakesLittleTime() throws Exception {
        var unknown = ContainerId.random();
        var nanos = new long[300];
        for (int i = 0; i < nanos.length; i++) {
            var begin = System.nanoTime();
            agent.remove(unknown, in(10));
            nanos[i] = System.nanoTime() - begin;
        }
        Arrays.sort(nanos);
        System.out.printf(
                "unary call: p50 %d us, p99 %d us%n",
                nanos[nanos.length / 2] / 1000, nanos[nanos.length * 99 / 100] / 1000);
        assertThat(Duration.ofNanos(nanos[nanos.length / 2])).isLessThan(Duration.ofMillis(50));
    }

    @Test
    @Order(LAST)
    void theGuestPowersOffWhenAsked() throws Exception {
        agent.shutdown(in(10));
        assertThat(guest.awaitEnd(Duration.ofSeconds(20))).as(guest.console()).isTrue();
        assertKind(Kind.MACHINE, () -> agent.remove(ContainerId.random(), in(5)));
    }

    private ContainerId run(String script) throws Exception {
        return run(script, false);
    }

    private ContainerId run(String script, boolean stdin) throws Exception {
        var container = create(script, stdin);
        assertThat(agent.start(container, in(20))).isEmpty();
        return container;
    }

    private ContainerId create(String script, boolean stdin, MountPlan... mounts) throws Exception {
        var container = ContainerId.random();
        agent.create(plan(container, List.of("/bin/sh", "-c", script), stdin, mounts), in(20));
        return container;
    }

    private static ContainerPlan plan(
            ContainerId container, List<String> args, boolean stdin, MountPlan... mounts) {
        var process = Plans.process(args.toArray(String[]::new));
        return new ContainerPlan(
                container,
                List.of("layer"),
                false,
                process,
                List.of(mounts),
                new ResourceLimits(0, 0, 0, 0, 0, 0, Map.of()),
                new SecurityPlan(
                        false,
                        List.of(),
                        List.of(),
                        false,
                        new Agent.SystemCalls.Usual(),
                        Optional.empty()),
                new Agent.Processes.Own(),
                stdin,
                stdin,
                Optional.empty());
    }

    private ContainerReport awaitExit(ContainerId container) throws Exception {
        BlockingQueue<ContainerReport> exits = new LinkedBlockingQueue<>();
        var watching =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                agent.watch(
                                        new Agent.Watcher() {
                                            @Override
                                            public void changed(ContainerReport report) {
                                                if (report.id().equals(container)
                                                        && report.phase() == Phase.EXITED) {
                                                    exits.add(report);
                                                }
                                            }

                                            @Override
                                            public void presentTold() {}
                                        });
                            } catch (PodException e) {
                                throw new IllegalStateException(e);
                            } catch (InterruptedException e) {
                                // as told below
                            }
                        });
        var exit = exits.poll(20, TimeUnit.SECONDS);
        watching.interrupt();
        watching.join();
        assertThat(exit).isNotNull();
        return exit;
    }

    private Path layer() throws Exception {
        var tree = Files.createDirectories(directory.resolve("tree/bin"));
        var busybox = tree.resolve("busybox");
        Files.copy(Path.of("/bin/busybox"), busybox, StandardCopyOption.COPY_ATTRIBUTES);
        for (var name : List.of("sh", "cat", "seq", "sleep", "echo", "yes")) {
            Files.createSymbolicLink(tree.resolve(name), Path.of("busybox"));
        }
        var image = directory.resolve("layer.erofs");
        var made =
                new ProcessBuilder("mkfs.erofs", image.toString(), tree.getParent().toString())
                        .redirectErrorStream(true)
                        .redirectOutput(directory.resolve("mkfs.log").toFile())
                        .start();
        assertThat(made.waitFor()).isZero();
        return image;
    }

    private static VolumeFile file(String name, String text) {
        return new VolumeFile(name, text.getBytes(StandardCharsets.UTF_8), 0644, 0, 0);
    }

    private static void assertKind(Kind kind, ThrowingCallable call) {
        assertThat(catchThrowableOfType(PodException.class, call).kind()).isEqualTo(kind);
    }

    private static long millisSince(long nanoTime) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - nanoTime);
    }

    private static Deadline in(int seconds) {
        return Deadline.after(Duration.ofSeconds(seconds));
    }

    private static final class Collecting implements OutputSink {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final ByteArrayOutputStream err = new ByteArrayOutputStream();
        private volatile boolean acknowledging = true;

        @Override
        public void chunk(
                OutputStreamKind stream, long offset, byte[] data, Instant time, Ack ack) {
            (stream == OutputStreamKind.STDOUT ? out : err).writeBytes(data);
            if (acknowledging) {
                ack.upTo(stream, offset + data.length);
            }
        }

        @Override
        public void end(OutputStreamKind stream, Ack ack) {}

        String text(OutputStreamKind stream) {
            var bytes = stream == OutputStreamKind.STDOUT ? out : err;
            return bytes.toString(StandardCharsets.UTF_8);
        }
    }

    private static final class Printed implements ExecOutput {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();
        private final ByteArrayOutputStream err = new ByteArrayOutputStream();
        private volatile CountDownLatch held = new CountDownLatch(0);

        @Override
        public void stdout(byte[] data) {
            try {
                held.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            out.writeBytes(data);
        }

        @Override
        public void stderr(byte[] data) {
            err.writeBytes(data);
        }
    }
}
