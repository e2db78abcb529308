package podvm.cri.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import podvm.cri.GoTool;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PortConnection;

/** The clients are those of kubectl, built from client-go. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class StreamServerTest {
    private static final int LARGE = 64 << 20;

    /** The common pool has one thread on a machine with two cores. */
    private static final Executor THREADS = command -> Thread.ofVirtual().start(command);

    private static final Destination.Streams PLAIN =
            new Destination.Streams(true, true, true, false);
    private static final Destination.Streams TERMINAL =
            new Destination.Streams(true, true, false, true);

    private Path tool;
    private StreamServer server;
    private final LinkedBlockingQueue<TestProcess> opened = new LinkedBlockingQueue<>();
    private final List<Process> clients = new ArrayList<>();

    @BeforeAll
    void start() throws Exception {
        tool = GoTool.build("streams");
        server =
                StreamServer.start(
                        InetAddress.getLoopbackAddress(), 0, new StreamTls.Plain(), _ -> {});
    }

    @AfterEach
    void endClients() {
        clients.forEach(Process::destroyForcibly);
        clients.clear();
        opened.clear();
    }

    @AfterAll
    void close() {
        if (server != null) {
            server.close();
        }
    }

    private String url(Destination.Streams streams, TestProcess.Program program)
            throws PodException {
        return server.promise(
                "exec",
                new Destination.Process(
                        streams,
                        output -> {
                            var process = new TestProcess(program, output);
                            opened.add(process);
                            return process;
                        }));
    }

    private Process client(String... args) throws IOException {
        var command = new ArrayList<String>();
        command.add(tool.toString());
        command.addAll(Arrays.asList(args));
        var process = new ProcessBuilder(command).start();
        clients.add(process);
        return process;
    }

    private Process run(String transport, TestProcess.Program program) throws Exception {
        return client("process", "-transport", transport, "-stdin", url(PLAIN, program));
    }

    private static CompletableFuture<byte[]> readAll(InputStream in) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return in.readAllBytes();
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                },
                THREADS);
    }

    private static int echo(TestProcess process) throws InterruptedException {
        for (var data = process.read(); data.isPresent(); data = process.read()) {
            process.print(data.get());
        }
        return 0;
    }

    private static byte[] random(int size) {
        var bytes = new byte[size];
        new Random(7).nextBytes(bytes);
        return bytes;
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "v5", "v4"})
    void outputAndErrorsArriveOnTheirOwnStreams(String transport) throws Exception {
        var client =
                run(
                        transport,
                        process -> {
                            process.output.stdout("to stdout".getBytes(UTF_8));
                            process.output.stderr("to stderr".getBytes(UTF_8));
                            return 0;
                        });

        assertThat(new String(client.getInputStream().readAllBytes(), UTF_8))
                .isEqualTo("to stdout");
        assertThat(new String(client.getErrorStream().readAllBytes(), UTF_8))
                .isEqualTo("to stderr");
        assertThat(client.waitFor()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "v5", "v4"})
    void theExitCodeArrives(String transport) throws Exception {
        assertThat(run(transport, _ -> 3).waitFor()).isEqualTo(3);
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "v5", "v4"})
    void aProcessThatCannotStartIsExplained(String transport) throws Exception {
        var url =
                server.promise(
                        "exec",
                        new Destination.Process(
                                PLAIN,
                                _ -> {
                                    throw new PodException(
                                            Kind.NOT_FOUND, "no such program: nonsense", "");
                                }));

        var client = client("process", "-transport", transport, "-stdin", url);

        assertThat(new String(client.getErrorStream().readAllBytes(), UTF_8))
                .contains("no such program: nonsense");
        assertThat(client.waitFor()).isEqualTo(125);
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "v5"})
    void sixtyFourMebibytesGoThereAndComeBack(String transport) throws Exception {
        var content = random(LARGE);
        var client = run(transport, StreamServerTest::echo);
        var back = readAll(client.getInputStream());

        try (var in = client.getOutputStream()) {
            in.write(content);
        }

        assertThat(Arrays.equals(back.get(), content)).isTrue();
        assertThat(client.waitFor()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "v5"})
    void theEndOfTheInputLeavesTheOutputOpen(String transport) throws Exception {
        var client =
                run(
                        transport,
                        process -> {
                            long count = 0;
                            for (var data = process.read();
                                    data.isPresent();
                                    data = process.read()) {
                                count += data.get().length;
                            }
                            process.print(("counted " + count).getBytes(UTF_8));
                            return 0;
                        });

        try (var in = client.getOutputStream()) {
            in.write(new byte[100_000]);
        }

        assertThat(new String(client.getInputStream().readAllBytes(), UTF_8))
                .isEqualTo("counted 100000");
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "v5", "v4"})
    void aClientThatDoesNotReadHoldsTheProcessBack(String transport) throws Exception {
        var client =
                run(
                        transport,
                        process -> {
                            var piece = new byte[32 * 1024];
                            for (int sent = 0; sent < LARGE; sent += piece.length) {
                                process.print(piece);
                            }
                            return 0;
                        });
        var process = opened.take();
        long before = -1;
        while (process.written.get() != before || before <= 0) {
            before = process.written.get();
            Thread.sleep(500);
        }

        assertThat(before).isLessThan(LARGE / 2);
        assertThat(client.getInputStream().readAllBytes()).hasSize(LARGE);
        assertThat(client.waitFor()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "v5"})
    void aProcessThatDoesNotReadHoldsTheClientBack(String transport) throws Exception {
        var go = new CompletableFuture<Void>();
        var client =
                run(
                        transport,
                        process -> {
                            go.join();
                            return echo(process);
                        });
        var sent = new AtomicLong();
        var back = readAll(client.getInputStream());
        var writer =
                CompletableFuture.runAsync(
                        () -> {
                            try (var in = client.getOutputStream()) {
                                var piece = new byte[32 * 1024];
                                for (int at = 0; at < LARGE; at += piece.length) {
                                    in.write(piece);
                                    sent.addAndGet(piece.length);
                                }
                            } catch (IOException e) {
                                throw new IllegalStateException(e);
                            }
                        },
                        THREADS);
        long before = -1;
        while (sent.get() != before || before <= 0) {
            before = sent.get();
            Thread.sleep(500);
        }

        assertThat(before).isLessThan(LARGE / 2);
        go.complete(null);
        writer.get();
        assertThat(back.get()).hasSize(LARGE);
        assertThat(client.waitFor()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "v5", "v4"})
    void theTerminalFollowsTheClientsWindow(String transport) throws Exception {
        var client =
                client(
                        "process",
                        "-transport",
                        transport,
                        "-stdin",
                        "-tty",
                        "-sizes",
                        "80x24,132x43",
                        url(
                                TERMINAL,
                                process -> {
                                    while (process.sizes.size() < 2) {
                                        Thread.sleep(10);
                                    }
                                    process.print(String.join(" ", process.sizes).getBytes(UTF_8));
                                    return 0;
                                }));

        assertThat(new String(client.getInputStream().readAllBytes(), UTF_8))
                .isEqualTo("80x24 132x43");
        assertThat(client.waitFor()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "v5"})
    void tenClientsAtOnceHaveStreamsOfTheirOwn(String transport) throws Exception {
        var running = new ArrayList<Process>();
        for (int i = 0; i < 10; i++) {
            running.add(run(transport, StreamServerTest::echo));
        }
        for (int i = 0; i < 10; i++) {
            try (var in = running.get(i).getOutputStream()) {
                in.write(("client " + i).getBytes(UTF_8));
            }
        }
        for (int i = 0; i < 10; i++) {
            assertThat(new String(running.get(i).getInputStream().readAllBytes(), UTF_8))
                    .isEqualTo("client " + i);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "v5", "v4"})
    void aClientThatVanishesEndsItsSession(String transport) throws Exception {
        var client =
                run(
                        transport,
                        process -> {
                            process.closed.await();
                            return 0;
                        });
        var process = opened.take();

        client.destroyForcibly();

        assertThat(process.closed.await(1, TimeUnit.MINUTES)).isTrue();
    }

    @Test
    void aTokenServesOnce() throws Exception {
        var url = url(PLAIN, _ -> 0);

        assertThat(client("process", "-stdin", url).waitFor()).isZero();

        var second = client("process", "-stdin", url);
        assertThat(new String(second.getErrorStream().readAllBytes(), UTF_8))
                .contains("a token serves once");
        assertThat(second.waitFor()).isEqualTo(125);
    }

    @Test
    void anOrdinaryRequestIsToldWhatIsServed() throws Exception {
        var url = url(PLAIN, _ -> 0);

        var request = (HttpURLConnection) URI.create(url).toURL().openConnection();

        assertThat(request.getResponseCode()).isEqualTo(400);
        assertThat(new String(request.getErrorStream().readAllBytes(), UTF_8)).contains("SPDY/3.1");
    }

    /** A server on the pod's side, in this process. */
    private static PortConnection loopback(int port) throws PodException {
        try {
            var socket = new Socket(InetAddress.getLoopbackAddress(), port);
            return new SocketConnection(socket, socket.getInputStream(), socket.getOutputStream());
        } catch (IOException e) {
            throw new PodException(
                    Kind.UNAVAILABLE, "nobody listens at port " + port, "start the program", e);
        }
    }

    private record SocketConnection(Socket socket, InputStream in, OutputStream out)
            implements PortConnection {
        @Override
        public void send(byte[] data) throws PodException {
            try {
                out.write(data);
            } catch (IOException e) {
                throw new PodException(Kind.UNAVAILABLE, "closed", "", e);
            }
        }

        @Override
        public void endOfInput() throws PodException {
            try {
                socket.shutdownOutput();
            } catch (IOException e) {
                throw new PodException(Kind.UNAVAILABLE, "closed", "", e);
            }
        }

        @Override
        public byte[] receive() throws PodException {
            var buffer = new byte[16 * 1024];
            try {
                int count = in.read(buffer);
                return Arrays.copyOf(buffer, Math.max(0, count));
            } catch (IOException e) {
                throw new PodException(Kind.UNAVAILABLE, "closed", "", e);
            }
        }

        @Override
        public void close() {
            try {
                socket.close();
            } catch (IOException _) {
                // nothing is left to do
            }
        }
    }

    private int forward(String transport, int port) throws Exception {
        var url = server.promise("portforward", new Destination.Ports(StreamServerTest::loopback));
        var client = client("forward", "-transport", transport, url, "0:" + port);
        var line = client.inputReader().readLine();
        var at = line.replaceFirst(".*127.0.0.1:([0-9]+) .*", "$1");
        return Integer.parseInt(at);
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "tunnel"})
    void manyConnectionsAreForwardedAtOnce(String transport) throws Exception {
        try (var pod = new EchoServer()) {
            int port = forward(transport, pod.port());
            var content = random(4 << 20);
            var all = new ArrayList<CompletableFuture<byte[]>>();
            for (int i = 0; i < 10; i++) {
                all.add(CompletableFuture.supplyAsync(() -> exchange(port, content), THREADS));
            }
            for (var one : all) {
                assertThat(Arrays.equals(one.get(), content)).isTrue();
            }
        }
    }

    private static byte[] exchange(int port, byte[] content) {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            var back = readAll(socket.getInputStream());
            socket.getOutputStream().write(content);
            socket.shutdownOutput();
            return back.get();
        } catch (IOException | InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "tunnel"})
    void aPortWhereNobodyListensIsExplainedAndTheOthersGoOn(String transport) throws Exception {
        int unused;
        try (var gone = new EchoServer()) {
            unused = gone.port();
        }
        int port = forward(transport, unused);

        var error = Optional.<String>empty();
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            assertThat(socket.getInputStream().readAllBytes()).isEmpty();
            error = Optional.ofNullable(clients.getLast().errorReader().readLine());
        }

        assertThat(error)
                .hasValueSatisfying(
                        line -> assertThat(line).contains("nobody listens at port " + unused));
    }
}
