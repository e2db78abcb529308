package podvm.cri.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import podvm.cri.GoTool;
import podvm.engine.PodException;

/** The clients are those of kubectl, over TLS. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class StreamTlsTest {
    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    @TempDir Path directory;

    private final List<String> notes = new CopyOnWriteArrayList<>();
    private Path certificate;
    private Path key;
    private int pairs;

    @BeforeEach
    void aPairIsThere() throws Exception {
        certificate = directory.resolve("tls.crt");
        key = directory.resolve("tls.key");
        writePair();
    }

    /** A new one each time, in the files of the old one. */
    private void writePair() throws Exception {
        var pair = SelfSigned.of(LOOPBACK);
        write(certificate, "CERTIFICATE", pair.certificate().getEncoded());
        write(key, "PRIVATE KEY", pair.key().getEncoded());
    }

    private void write(Path file, String what, byte[] der) throws Exception {
        var body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        writeText(file, "-----BEGIN %1$s-----\n%2$s\n-----END %1$s-----\n".formatted(what, body));
    }

    /** Two changes within one tick of the file system's clock would look like one. */
    private void writeText(Path file, String text) throws Exception {
        Files.writeString(file, text);
        var time = Instant.now().plus(Duration.ofSeconds(++pairs));
        Files.setLastModifiedTime(file, FileTime.from(time));
    }

    private StreamServer start(StreamTls tls) throws PodException {
        return StreamServer.start(LOOPBACK, 0, tls, notes::add);
    }

    private static String promise(StreamServer server) throws PodException {
        return server.promise(
                "exec",
                new Destination.Process(
                        new Destination.Streams(true, true, true, false),
                        output ->
                                new TestProcess(
                                        process -> {
                                            process.print("over TLS".getBytes(UTF_8));
                                            return 0;
                                        },
                                        output)));
    }

    private static Process client(String transport, Optional<Path> ca, String url)
            throws Exception {
        var words = new ArrayList<String>();
        words.add(GoTool.build("streams").toString());
        words.addAll(List.of("process", "-transport", transport, "-stdin"));
        ca.ifPresent(file -> words.addAll(List.of("-ca", file.toString())));
        words.add(url);
        return new ProcessBuilder(words).start();
    }

    private static void assertServed(Process client) throws Exception {
        var said = new String(client.getInputStream().readAllBytes(), UTF_8);
        var complaint = new String(client.getErrorStream().readAllBytes(), UTF_8);
        assertThat(said).as(complaint).isEqualTo("over TLS");
        assertThat(client.waitFor()).isZero();
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "v5"})
    void aClientThatKnowsTheCertificateIsServed(String transport) throws Exception {
        try (var server = start(new StreamTls.KeyPair(certificate, key))) {
            var url = promise(server);
            assertThat(url).startsWith("https://127.0.0.1:");
            assertServed(client(transport, Optional.of(certificate), url));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"spdy", "v5"})
    void withoutFilesTheCertificateIsOneThatNobodyKnows(String transport) throws Exception {
        try (var server = start(new StreamTls.SelfSigned())) {
            assertServed(client(transport, Optional.empty(), promise(server)));

            var strict = client(transport, Optional.of(certificate), promise(server));
            assertThat(new String(strict.getErrorStream().readAllBytes(), UTF_8))
                    .contains("certificate");
            assertThat(strict.waitFor()).isEqualTo(125);
        }
    }

    @Test
    void aPairThatIsReplacedServesTheNextClient() throws Exception {
        try (var server = start(new StreamTls.KeyPair(certificate, key))) {
            assertServed(client("spdy", Optional.of(certificate), promise(server)));
            writePair();
            assertServed(client("spdy", Optional.of(certificate), promise(server)));
            assertThat(notes).isEmpty();
        }
    }

    @Test
    void aPairThatIsBrokenIsToldAndTheOneBeforeItServesOn() throws Exception {
        var known = Files.copy(certificate, directory.resolve("known.crt"));
        try (var server = start(new StreamTls.KeyPair(certificate, key))) {
            writeText(key, "nonsense");
            assertServed(client("spdy", Optional.of(known), promise(server)));
            assertThat(notes).hasSize(1);
            assertThat(notes.getFirst()).contains("tls.key", "pkcs8");

            Files.delete(key);
            assertServed(client("spdy", Optional.of(known), promise(server)));
            writePair();
            assertServed(client("spdy", Optional.of(certificate), promise(server)));
        }
    }

    @Test
    void aPairThatIsNoneKeepsTheServerFromStarting() throws Exception {
        var pair = new StreamTls.KeyPair(certificate, directory.resolve("missing.key"));

        assertThatThrownBy(() -> start(pair).close())
                .isInstanceOf(PodException.class)
                .hasMessageContaining("missing.key");
        writeText(key, "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n");
        assertThatThrownBy(() -> start(new StreamTls.KeyPair(certificate, key)).close())
                .isInstanceOf(PodException.class)
                .hasMessageContaining("tls.key");
    }

    @Test
    void aClientThatSpeaksNoTlsIsSentAwayAndOthersGoOn() throws Exception {
        try (var server = start(new StreamTls.KeyPair(certificate, key))) {
            var url = promise(server);
            try (var plain = new Socket(LOOPBACK, URI.create(url).getPort())) {
                plain.getOutputStream().write("GET / HTTP/1.1\r\n\r\n".getBytes(UTF_8));
                assertThat(new String(plain.getInputStream().readAllBytes(), UTF_8))
                        .doesNotContain("HTTP/1.1 200");
            }
            assertServed(client("spdy", Optional.of(certificate), url));
        }
    }
}
