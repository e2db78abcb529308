package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Credentials;
import podvm.engine.Deadline;
import podvm.engine.Image;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;
import podvm.image.content.Sha256;

/** Pulls from a docker-registry with TLS, passwords or tokens; images get there by skopeo. */
@Timeout(180)
class PrivateRegistryTest {
    private static final String USER = "me";
    private static final String PASSWORD = "s3cret:x";

    /** The password's bcrypt form, made with crypt(3). */
    private static final String HTPASSWD =
            "me:$2b$05$abcdefghijklmnopqrstuuWrm/5AoaKADYlqOe34LrWvaAncFaCxG\n";

    private static final List<byte[]> LAYERS =
            List.of(
                    new TarBytes().file("bin/sh", "shell").bytes(),
                    new TarBytes().file("app", noise()).bytes());

    @TempDir Path directory;
    private Certificates certificates;
    private RealRegistry registry;
    private ImageStore store;

    @BeforeEach
    void prepare() throws Exception {
        Tool.need("docker-registry");
        Tool.need("skopeo");
        certificates = new Certificates(directory.resolve("certificates"));
        var oci = new OciBytes();
        oci.write(directory.resolve("layout"), oci.image("amd64", LAYERS), "1");
        open(Map.of());
    }

    @AfterEach
    void close() throws Exception {
        if (store != null) {
            store.close();
        }
        if (registry != null) {
            registry.close();
        }
    }

    private static byte[] noise() {
        var noise = new byte[2_000_000];
        new Random(9).nextBytes(noise);
        return noise;
    }

    private void open(Map<String, String> more) throws Exception {
        if (store != null) {
            store.close();
        }
        var environment = new HashMap<>(more);
        environment.put("DOCKER_CONFIG", directory.toString());
        var registries = FakeRegistry.impatient(directory.resolve("hosts"), environment);
        var platform = new Image.Platform("linux", "amd64");
        // one layer after the other
        var options = new ImageOptions(1, Layers.LIMITS, platform, registries);
        store = ImageStore.open(directory.resolve("store"), options);
    }

    private String tls(String name, String more) {
        return ", tls: {certificate: %s, key: %s%s}"
                .formatted(certificates.certificateFile(name), certificates.keyFile(name), more);
    }

    private String htpasswd() throws IOException {
        var file = Files.writeString(directory.resolve("htpasswd"), HTPASSWD);
        return "auth: {htpasswd: {realm: test, path: %s}}".formatted(file);
    }

    private String tokens(FakeTokenService service) {
        return "auth: {token: {realm: \"%s\", service: %s, issuer: %s, rootcertbundle: %s}}"
                .formatted(
                        service.realm(),
                        FakeTokenService.SERVICE,
                        FakeTokenService.ISSUER,
                        certificates.authority());
    }

    private Path hosts(String host) throws IOException {
        return Files.createDirectories(directory.resolve("hosts").resolve(host));
    }

    private void dockerConfig(String entry) throws IOException {
        Files.writeString(
                directory.resolve("config.json"),
                "{\"auths\":{\"%s\":%s}}".formatted(registry.host(), entry));
    }

    private static String auth(String user, String password) {
        var login = Base64.getEncoder().encodeToString(OciBytes.utf(user + ":" + password));
        return "{\"auth\":\"" + login + "\"}";
    }

    private Path layout() {
        return directory.resolve("layout");
    }

    private Image pull(String name) throws Exception {
        return pull(name, Optional.empty(), Progress.NONE);
    }

    private Image pull(String name, Optional<Credentials> credentials, Progress progress)
            throws Exception {
        var soon = Deadline.after(Duration.ofSeconds(60));
        return store.pull(name, PullPolicy.ALWAYS, credentials, progress, soon);
    }

    private void assertPulled(Image image) {
        assertThat(image.layers())
                .extracting(disk -> disk.diffId())
                .containsExactly(Sha256.of(LAYERS.get(0)), Sha256.of(LAYERS.get(1)));
    }

    private AbstractThrowableAssert<?, ? extends Throwable> assertFails(
            String name, PodException.Kind kind) {
        return assertThatThrownBy(() -> pull(name))
                .isInstanceOfSatisfying(
                        PodException.class,
                        e -> assertThat(e.kind()).as(e.describe()).isEqualTo(kind));
    }

    @Test
    void anAuthorityOfOnesOwnAndAPasswordLeadIn() throws Exception {
        certificates.issue("server", "ip:127.0.0.1");
        registry = RealRegistry.start(directory.resolve("registry"), tls("server", ""), htpasswd());
        var trusted = hosts(registry.host());
        Files.copy(certificates.authority(), trusted.resolve("ca.crt"));
        var name =
                registry.push(
                        layout(),
                        "1",
                        "team/app:1",
                        "--dest-cert-dir=" + trusted,
                        "--dest-creds=" + USER + ":" + PASSWORD);
        assertFails(name, PodException.Kind.DENIED)
                .hasMessageContainingAll("anonymous users", name);
        dockerConfig(auth(USER, "wrong"));
        assertFails(name, PodException.Kind.DENIED).hasMessageContaining("user " + USER);
        dockerConfig(auth(USER, PASSWORD));
        assertPulled(pull(name));
        Files.delete(directory.resolve("config.json"));
        var given = Optional.<Credentials>of(new Credentials.Password(USER, PASSWORD));
        assertPulled(pull(name, given, Progress.NONE));
    }

    @Test
    void aServerWhoseCertificateDoesNotFitIsRefusedUnlessThatIsWanted() throws Exception {
        certificates.issue("server", "dns:somebody.else");
        registry = RealRegistry.start(directory.resolve("registry"), tls("server", ""), "");
        var name = registry.push(layout(), "1", "team/app:1", "--dest-tls-verify=false");
        var file = hosts(registry.host()).resolve("hosts.toml");
        var server = "server = \"https://" + registry.host() + "\"\n";
        Files.writeString(file, server);
        assertFails(name, PodException.Kind.UNAVAILABLE)
                .hasMessageContainingAll("cannot speak TLS", registry.host());
        Files.writeString(file, server + "ca = \"" + certificates.authority() + "\"");
        assertFails(name, PodException.Kind.UNAVAILABLE).hasMessageContaining("TLS");
        Files.writeString(file, server + "skip_verify = true");
        assertPulled(pull(name));
    }

    @Test
    void aServerThatWantsACertificateGetsIt() throws Exception {
        certificates.issue("server", "ip:127.0.0.1");
        certificates.issue("client", "dns:client");
        var clients = ", clientcas: [%s]".formatted(certificates.authority());
        registry = RealRegistry.start(directory.resolve("registry"), tls("server", clients), "");
        var trusted = hosts(registry.host());
        Files.copy(certificates.authority(), trusted.resolve("ca.crt"));
        Files.copy(certificates.certificateFile("client"), trusted.resolve("me.cert"));
        Files.copy(certificates.keyFile("client"), trusted.resolve("me.key"));
        var name = registry.push(layout(), "1", "team/app:1", "--dest-cert-dir=" + trusted);
        assertPulled(pull(name));
        Files.delete(trusted.resolve("me.cert"));
        assertFails(name, PodException.Kind.UNAVAILABLE).hasMessageContaining(registry.host());
    }

    private String pushedBehindTokens(FakeTokenService service) throws Exception {
        registry = RealRegistry.start(directory.resolve("registry"), "", tokens(service));
        return registry.push(
                layout(),
                "1",
                "team/app:1",
                "--dest-tls-verify=false",
                "--dest-creds=" + USER + ":" + PASSWORD);
    }

    @Test
    void tokensAreFetchedForAPasswordOrAnIdentity() throws Exception {
        try (var service = new FakeTokenService(certificates, USER, PASSWORD)) {
            var name = pushedBehindTokens(service);
            assertFails(name, PodException.Kind.DENIED)
                    .hasMessageContainingAll(
                            "no token for repository:team/app:pull", "anonymous", "who are you");
            dockerConfig(auth(USER, PASSWORD));
            service.given.clear();
            assertPulled(pull(name));
            assertThat(service.given).containsExactly("GET repository:team/app:pull");
            assertPulled(pull(name));
            assertThat(service.given).as("the token is kept").hasSize(1);
            dockerConfig("{\"identitytoken\":\"%s\"}".formatted(FakeTokenService.IDENTITY));
            assertPulled(pull(name));
            assertThat(service.given).hasSize(2).contains("POST repository:team/app:pull");
        }
    }

    @Test
    void aTokenThatExpiresWithinAPullIsRenewed() throws Exception {
        try (var service = new FakeTokenService(certificates, USER, PASSWORD)) {
            var name = pushedBehindTokens(service);
            dockerConfig(auth(USER, PASSWORD));
            // the first is told to last longer than it does, the second tells the truth
            for (int told : new int[] {300, 2}) {
                open(Map.of());
                for (var image : store.list()) {
                    store.remove(image.id().toString());
                }
                service.given.clear();
                service.lasting(3, told);
                var slept = new AtomicBoolean();
                Progress slow =
                        (step, done, total) -> {
                            if (step.startsWith("layer") && !slept.getAndSet(true)) {
                                sleep(Duration.ofSeconds(5));
                            }
                        };
                assertPulled(pull(name, Optional.empty(), slow));
                assertThat(service.given).as("told %d s", told).hasSizeGreaterThan(1);
            }
        }
    }

    @Test
    void aProxyWithAPasswordLeadsToARegistryThatIsNotReachedOtherwise() throws Exception {
        certificates.issue("server", "ip:127.0.0.1,dns:registry.example");
        registry = RealRegistry.start(directory.resolve("registry"), tls("server", ""), "");
        registry.push(layout(), "1", "team/app:1", "--dest-tls-verify=false");
        Files.copy(certificates.authority(), hosts("registry.example").resolve("ca.crt"));
        var login = Base64.getEncoder().encodeToString(OciBytes.utf("p:q"));
        try (var proxy = new ConnectProxy(registry.port(), "Basic " + login)) {
            open(Map.of("https_proxy", "http://p:q@127.0.0.1:" + proxy.port()));
            assertPulled(pull("registry.example/team/app:1"));
            assertThat(proxy.requests)
                    .isNotEmpty()
                    .containsOnly("CONNECT registry.example:443 HTTP/1.1");
            open(Map.of("HTTPS_PROXY", "127.0.0.1:" + proxy.port()));
            assertFails("registry.example/team/app:1", PodException.Kind.DENIED)
                    .hasMessageContainingAll("proxy", "registry.example");
            open(Map.of("HTTPS_PROXY", "p", "NO_PROXY", ".example"));
            assertFails("registry.example/team/app:1", PodException.Kind.UNAVAILABLE)
                    .hasMessageNotContaining("proxy");
        }
    }

    @Test
    void whatUmociBuildsIsPulled() throws Exception {
        Tool.need("umoci");
        registry = RealRegistry.plain(directory.resolve("registry"));
        var built = directory.resolve("built").toString();
        var layer = directory.resolve("layer.tar");
        Files.write(layer, new TarBytes().file("etc/hello", "hello").bytes());
        Tool.run("umoci", "init", "--layout", built);
        Tool.run("umoci", "new", "--image", built + ":1");
        Tool.run("umoci", "raw", "add-layer", "--image", built + ":1", layer.toString());
        Tool.run("umoci", "config", "--image", built + ":1", "--config.cmd", "run");
        var name = registry.push(Path.of(built), "1", "team/umoci:1", "--dest-tls-verify=false");
        var image = pull(name);
        assertThat(image.config().cmd()).containsExactly("run");
        var tree = ErofsReader.read(image.layers().getLast().file());
        assertThat(tree.get("etc/hello").text()).isEqualTo("hello");
    }

    private static void sleep(Duration time) {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
