package podvm.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.PodException;

class HostsTest {
    @TempDir Path directory;

    private List<RegistryHost> parse(String text) throws Exception {
        write("team.example/hosts.toml", text);
        return new HostsDirectories(List.of(directory)).of("team.example");
    }

    private void write(String name, String text) throws Exception {
        var file = directory.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, text);
    }

    private String first(String registry, Path... roots) throws Exception {
        return new HostsDirectories(List.of(roots)).of(registry).getFirst().api().toString();
    }

    @Test
    void mirrorsComeInTheirOrderAndTheServerLast() throws Exception {
        var hosts =
                parse(
                        """
                        server = "https://upstream.example"
                        ca = "server.crt"

                        [host."https://z.example"]
                          capabilities = ["pull"]
                          ca = ["/etc/one.pem", "two.pem"]
                          client = [["a.cert", "a.key"], ["both.pem", ""]]
                          dial_timeout = "1m1.5s"

                        [host."http://10.0.0.1:5000/v2/cache"]
                          override_path = true
                          skip_verify = true
                          proxy = "http://proxy:3128"
                          [host."http://10.0.0.1:5000/v2/cache".header]
                            x-one = "1"
                            x-two = ["2", "3"]

                        [host."a.example/sub/"]
                          capabilities = ["pull", "resolve", "push"]
                        """);
        assertThat(hosts)
                .extracting(host -> host.api().toString())
                .containsExactly(
                        "https://z.example/v2",
                        "http://10.0.0.1:5000/v2/cache",
                        "https://a.example/sub/v2",
                        "https://upstream.example/v2");
        var z = hosts.getFirst();
        assertThat(z.pulls()).isTrue();
        assertThat(z.resolves()).isFalse();
        var here = directory.resolve("team.example");
        assertThat(z.tls().authorities())
                .containsExactly(Path.of("/etc/one.pem"), here.resolve("two.pem"));
        assertThat(z.tls().identities())
                .containsExactly(
                        new TlsSettings.Identity(here.resolve("a.cert"), here.resolve("a.key")),
                        new TlsSettings.Identity(
                                here.resolve("both.pem"), here.resolve("both.pem")));
        assertThat(z.connect()).contains(Duration.ofMillis(61_500));
        var plain = hosts.get(1);
        assertThat(plain.resolves()).isTrue();
        assertThat(plain.tls().skipVerify()).isTrue();
        assertThat(plain.headers())
                .containsEntry("x-one", List.of("1"))
                .containsEntry("x-two", List.of("2", "3"));
        assertThat(plain.proxy()).map(ProxyAddress::toString).contains("proxy:3128");
        assertThat(hosts.getLast().tls().authorities()).containsExactly(here.resolve("server.crt"));
    }

    @Test
    void withoutAServerTheRegistryItselfComesLast() throws Exception {
        assertThat(parse("[host.\"https://m.example\"]"))
                .extracting(host -> host.api().toString())
                .containsExactly("https://m.example/v2", "https://team.example/v2");
        assertThat(parse("")).singleElement().matches(host -> host.isHome("team.example"));
    }

    @Test
    void whatIsNotKnownIsRefusedByName() {
        for (var wrong :
                new String[][] {
                    {"servers = \"x\"", "'servers'"},
                    {"[host.\"https://a\"]\nmirror = true", "'host.\"https://a\".mirror'"},
                    {"[host.\"https://a\"]\nserver = \"b\"", ".server'"},
                    {"capabilities = [\"fly\"]", "'fly'"},
                    {"skip_verify = \"yes\"", "skip_verify must be true or false"},
                    {"ca = 1", "ca must be"},
                    {"server = \"ftp://x\"", "'ftp://x'"},
                    {"dial_timeout = \"soon\"", "dial_timeout"},
                    {"server = ", "TOML"},
                    {"client = [[\"a\",\"b\",\"c\"]]", "client must be"}
                }) {
            assertThatThrownBy(() -> parse(wrong[0]))
                    .as(wrong[0])
                    .isInstanceOfSatisfying(
                            PodException.class,
                            e -> assertThat(e.kind()).isEqualTo(PodException.Kind.INVALID))
                    .hasMessageContainingAll(wrong[1], "team.example/hosts.toml");
        }
    }

    @Test
    void theNearestNameCountsAndThenTheFirstDirectory() throws Exception {
        var one = directory.resolve("one");
        var two = directory.resolve("two");
        write("one/_default/hosts.toml", "server = \"https://one-default\"");
        write("two/_default/hosts.toml", "server = \"https://two-default\"");
        write("two/r.example:5000/hosts.toml", "server = \"https://two-named\"");
        assertThat(first("r.example:5000", one, two)).isEqualTo("https://two-named/v2");
        assertThat(first("r.example", one, two)).isEqualTo("https://one-default/v2");
        write("one/r.example_5000_/hosts.toml", "server = \"https://one-escaped\"");
        assertThat(first("r.example:5000", one, two)).isEqualTo("https://one-escaped/v2");
        assertThat(first("docker.io")).isEqualTo("https://registry-1.docker.io/v2");
        assertThat(first("localhost:5000")).isEqualTo("http://localhost:5000/v2");
        assertThat(first("[::1]:5000")).isEqualTo("http://[::1]:5000/v2");
        assertThat(first("10.0.0.1:5000")).isEqualTo("https://10.0.0.1:5000/v2");
    }

    @Test
    void certificatesAloneInADirectoryAreTakenToo() throws Exception {
        write("localhost:5000/ca.crt", "");
        write("localhost:5000/me.cert", "");
        var host = new HostsDirectories(List.of(directory)).of("localhost:5000").getFirst();
        assertThat(host.api()).hasToString("https://localhost:5000/v2");
        assertThat(host.tls().authorities()).singleElement().asString().endsWith("ca.crt");
        assertThat(host.tls().identities().getFirst().key()).asString().endsWith("me.key");
    }
}
