package podvm.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.cli.PortForward.Ports;
import podvm.engine.fake.EchoConnection;
import podvm.node.FakePods;
import podvm.node.NodeServer;

@Timeout(60)
class PortForwardTest {
    private static final Pattern FORWARDING =
            Pattern.compile("Forwarding from 127\\.0\\.0\\.1:([0-9]+) -> [0-9]+\n");

    private final FakePods pods = new FakePods();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    @TempDir private Path directory;
    private Path run;
    private CommandLine shell;
    private NodeServer server;

    @BeforeEach
    void start() throws Exception {
        run = directory.resolve("run");
        server = FakeNode.start(run, pods);
        shell = new CommandLine(run);
        shell.withInput(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: p}
                spec: {restartPolicy: Never, containers: [{name: c, image: i, command: [sleep]}]}
                """,
                "run",
                "-d",
                "-");
    }

    @AfterEach
    void stop() {
        server.close();
    }

    /** Runs in the background until the pod ends: its exit code. */
    private CompletableFuture<Integer> forward(String... operands) {
        var words = new java.util.ArrayList<>(List.of("port-forward", "p"));
        words.addAll(List.of(operands));
        var stdio =
                new Stdio(
                        new ByteArrayInputStream(new byte[0]),
                        out,
                        err,
                        false,
                        false,
                        false,
                        Map.of("PODVM_RUN", run.toString()));
        var code = new CompletableFuture<Integer>();
        Thread.ofVirtual().start(() -> code.complete(Main.run(words, stdio)));
        return code;
    }

    private int localPort() throws InterruptedException {
        while (true) {
            var told = FORWARDING.matcher(out.toString(UTF_8));
            if (told.find()) {
                return Integer.parseInt(told.group(1));
            }
            Thread.sleep(5);
        }
    }

    private static String exchange(int port, String text) throws Exception {
        try (var socket = new Socket(InetAddress.getByName("127.0.0.1"), port)) {
            socket.getOutputStream().write(text.getBytes(UTF_8));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        }
    }

    @Test
    void connectionsReachThePodUntilItEnds() throws Exception {
        var code = forward(":" + EchoConnection.PORT);
        int port = localPort();
        for (var text : List.of("one", "two ".repeat(100_000))) {
            assertThat(exchange(port, text)).isEqualTo(text);
        }
        shell.podvm("stop", "p");
        assertThat(code.get()).isEqualTo(125);
        assertThat(err.toString(UTF_8)).contains("pod p has ended");
    }

    @Test
    void aPortWhereNobodyListensEndsItsConnectionAlone() throws Exception {
        var code = forward(":81", ":" + EchoConnection.PORT);
        assertThat(exchange(localPort(), "")).isEmpty();
        while (!err.toString(UTF_8).contains("nobody listens at port 81")) {
            Thread.sleep(5);
        }
        assertThat(code).isNotDone();
        shell.podvm("stop", "p");
        code.get();
    }

    @Test
    void aLocalPortThatIsTakenIsTold() throws Exception {
        var code = forward(":" + EchoConnection.PORT);
        var second = shell.podvm("port-forward", "p", localPort() + ":80");
        assertThat(second.code()).isEqualTo(125);
        assertThat(second.err()).contains("cannot listen on 127.0.0.1 port " + localPort());
        shell.podvm("stop", "p");
        code.get();
    }

    @Test
    void pairsOfPortsAreReadAsKubectlReadsThem() throws Failure {
        assertThat(Ports.parse("80")).isEqualTo(new Ports(80, 80));
        assertThat(Ports.parse("8080:80")).isEqualTo(new Ports(8080, 80));
        assertThat(Ports.parse(":80")).isEqualTo(new Ports(0, 80));
        assertThat(Ports.parse("0:80")).isEqualTo(new Ports(0, 80));
        for (var wrong : List.of("", "0", "x", "80:", "80:0", "1:2:3", "65536", "-1", "1:65536")) {
            assertThatThrownBy(() -> Ports.parse(wrong))
                    .as(wrong)
                    .hasMessageContaining("not a pair of ports: " + wrong);
        }
    }
}
