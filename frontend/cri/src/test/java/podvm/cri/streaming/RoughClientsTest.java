package podvm.cri.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import podvm.engine.PodException;

/** Clients that keep to no rule: nothing of theirs stays, and others are served as before. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class RoughClientsTest {
    private static final Duration SHORT = Duration.ofMillis(300);
    private static final Duration LONG = Duration.ofMinutes(10);
    private static final Destination.Streams PLAIN =
            new Destination.Streams(true, true, true, false);

    private final LinkedBlockingQueue<TestProcess> opened = new LinkedBlockingQueue<>();
    private StreamServer server;

    @BeforeEach
    void start() throws Exception {
        serve(new Patience(LONG, LONG, LONG));
    }

    private void serve(Patience patience) throws PodException {
        if (server != null) {
            server.close();
        }
        server =
                StreamServer.start(
                        InetAddress.getLoopbackAddress(),
                        0,
                        new StreamTls.Plain(),
                        _ -> {},
                        patience);
    }

    /** Whatever a test did, the next client is served, and nobody else is there after it. */
    @AfterEach
    void othersAreServedAndNothingStays() throws Exception {
        try (var client = webSocket(_ -> 0)) {
            assertThat(client.getInputStream().readAllBytes()).isNotEmpty();
        }
        while (server.clients() > 0) {
            Thread.sleep(10);
        }
        server.close();
    }

    private URI promise(TestProcess.Program program) throws PodException {
        return URI.create(
                server.promise(
                        "exec",
                        new Destination.Process(
                                PLAIN,
                                output -> {
                                    var process = new TestProcess(program, output);
                                    opened.add(process);
                                    return process;
                                })));
    }

    private static Socket connect(URI url) throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), url.getPort());
    }

    private static Socket ask(URI url, String headers) throws IOException {
        var socket = connect(url);
        var request =
                "GET %s HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n%s\r\n\r\n"
                        .formatted(url.getPath(), headers);
        socket.getOutputStream().write(request.getBytes(UTF_8));
        return socket;
    }

    private Socket spdy(TestProcess.Program program) throws Exception {
        var socket =
                ask(
                        promise(program),
                        "Upgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io");
        assertThat(head(socket)).startsWith("HTTP/1.1 101");
        return socket;
    }

    /** The process runs at once: this protocol opens no streams. */
    private Socket webSocket(TestProcess.Program program) throws Exception {
        var socket =
                ask(
                        promise(program),
                        """
                        Upgrade: websocket\r
                        Sec-WebSocket-Version: 13\r
                        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r
                        Sec-WebSocket-Protocol: v5.channel.k8s.io\
                        """);
        assertThat(head(socket)).startsWith("HTTP/1.1 101");
        return socket;
    }

    private static String head(Socket socket) throws IOException {
        var text = new StringBuilder();
        while (!text.toString().endsWith("\r\n\r\n")) {
            int next = socket.getInputStream().read();
            if (next < 0) {
                break;
            }
            text.append((char) next);
        }
        return text.toString();
    }

    /** As a machine does that has lost its program: no farewell. */
    private static void reset(Socket socket) throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    private static int printEndlessly(TestProcess process) throws InterruptedException {
        while (process.closed.getCount() > 0) {
            process.print(new byte[32 * 1024]);
            // a print to a client that has gone returns at once
            Thread.sleep(1);
        }
        return 0;
    }

    private static int readEverything(TestProcess process) throws InterruptedException {
        while (process.read().isPresent()) {
            // what it says is of no interest
        }
        return 0;
    }

    private static void awaitStall(TestProcess process) throws InterruptedException {
        long before = -1;
        while (process.written.get() != before || before <= 0) {
            before = process.written.get();
            Thread.sleep(300);
        }
    }

    @Test
    void aClientThatSaysNothingIsSentAway() throws Exception {
        serve(new Patience(SHORT, LONG, LONG));
        try (var silent = connect(promise(_ -> 0))) {
            assertThat(silent.getInputStream().readAllBytes()).isEmpty();
        }
        try (var half = connect(promise(_ -> 0))) {
            half.getOutputStream().write("POST /exec/".getBytes(UTF_8));
            assertThat(half.getInputStream().readAllBytes()).isEmpty();
        }
        assertThat(opened).isEmpty();
    }

    @Test
    void aClientThatOpensNoStreamsIsSentAway() throws Exception {
        serve(new Patience(LONG, SHORT, LONG));
        try (var client = spdy(_ -> 0)) {
            assertThat(client.getInputStream().readAllBytes()).isEmpty();
        }
        assertThat(opened).isEmpty();
    }

    @Test
    void aClientThatStallsAndIsResetEndsItsProcess() throws Exception {
        var client = webSocket(RoughClientsTest::printEndlessly);
        var process = opened.take();
        awaitStall(process);

        reset(client);

        assertThat(process.closed.await(1, TimeUnit.MINUTES)).isTrue();
    }

    @Test
    void aClientThatStallsForTooLongIsGivenUp() throws Exception {
        serve(new Patience(LONG, LONG, Duration.ofSeconds(2)));
        try (var _ = webSocket(RoughClientsTest::printEndlessly)) {
            var process = opened.take();
            awaitStall(process);
            assertThat(process.closed.await(1, TimeUnit.MINUTES)).isTrue();
        }
    }

    @Test
    void theInputOfAClientThatIsResetEnds() throws Exception {
        var client = webSocket(RoughClientsTest::readEverything);
        var process = opened.take();

        reset(client);

        assertThat(process.closed.await(1, TimeUnit.MINUTES)).isTrue();
    }

    @Test
    void halfAFrameAndNonsenseEndTheirOwnConnectionAlone() throws Exception {
        try (var waiting = webSocket(RoughClientsTest::readEverything)) {
            var other = opened.take();
            var half = spdy(_ -> 0);
            // the head of a SYN_STREAM of 100 bytes, and four of them
            half.getOutputStream().write(new byte[] {-128, 3, 0, 1, 0, 0, 0, 100, 0, 0, 0, 1});
            reset(half);
            try (var nonsense = spdy(_ -> 0)) {
                nonsense.getOutputStream().write("-- no frame at all --".getBytes(UTF_8));
                nonsense.shutdownOutput();
                assertThat(nonsense.getInputStream().readAllBytes()).isNotNull();
            }
            try (var unmasked = webSocket(RoughClientsTest::readEverything)) {
                // RFC 6455, 5.1: a client's frames are masked, or the connection ends
                unmasked.getOutputStream().write(new byte[] {(byte) 0x82, 2, 0, 'x'});
                assertThat(unmasked.getInputStream().readAllBytes()).isNotNull();
            }
            assertThat(opened.take().closed.await(1, TimeUnit.MINUTES)).isTrue();
            assertThat(other.closed.getCount()).isEqualTo(1);
            assertThat(waiting.isConnected()).isTrue();
        }
    }

    @Test
    void manyThatComeAndGoLeaveNothing() throws Exception {
        for (int i = 0; i < 50; i++) {
            reset(webSocket(RoughClientsTest::printEndlessly));
            reset(spdy(_ -> 0));
        }
        for (int i = 0; i < 50; i++) {
            assertThat(opened.take().closed.await(1, TimeUnit.MINUTES)).isTrue();
        }
    }
}
