package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.Digest;
import podvm.engine.Image;
import podvm.engine.Images;
import podvm.engine.PodException;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;
import podvm.image.content.Sha256;
import podvm.image.trust.SignaturePolicy;

/** Images that are pulled only where somebody trusted has signed them. */
@Timeout(60)
class TrustTest {
    private static final String STATEMENT = "application/vnd.dev.cosign.simplesigning.v1+json";
    private static final byte[] BASE = new TarBytes().file("bin/sh", "shell").bytes();

    @TempDir Path directory;
    private final KeyPair key = key("secp256r1");
    private final KeyPair other = key("secp256r1");
    private FakeRegistry registry;
    private OciBytes oci;
    private OciBytes.Blob manifest;
    private String reference;

    private static KeyPair key(String curve) {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec(curve));
            return generator.generateKeyPair();
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @BeforeEach
    void publish() throws Exception {
        registry = new FakeRegistry();
        oci = new OciBytes();
        manifest = oci.image("amd64", List.of(BASE));
        reference = registry.publish("team/app", oci, manifest);
    }

    @AfterEach
    void close() {
        registry.close();
    }

    private static String pem(KeyPair key) {
        return "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'})
                        .encodeToString(key.getPublic().getEncoded())
                + "\n-----END PUBLIC KEY-----\n";
    }

    private static String data(KeyPair key) {
        return Base64.getEncoder().encodeToString(OciBytes.utf(pem(key)));
    }

    private static String statement(String name, Digest digest) {
        return """
        {"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"%s"},\
        "type":"cosign container image signature"},"optional":null}\
        """
                .formatted(name, digest);
    }

    private static String signature(KeyPair key, String statement) throws Exception {
        var signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(key.getPrivate());
        signature.update(OciBytes.utf(statement));
        return Base64.getEncoder().encodeToString(signature.sign());
    }

    private record Signed(String statement, String signature) {}

    private Signed signed(KeyPair key, String name, Digest digest) throws Exception {
        var statement = statement(name, digest);
        return new Signed(statement, signature(key, statement));
    }

    /** Beside the image, as cosign puts them there. */
    private void attach(Digest digest, Signed... signatures) {
        var signed = new OciBytes();
        var layers = new ArrayList<String>();
        for (var one : signatures) {
            layers.add(
                    OciBytes.descriptor(
                            STATEMENT,
                            signed.add(STATEMENT, OciBytes.utf(one.statement())),
                            OciBytes.named("dev.cosignproject.cosign/signature", one.signature())));
        }
        var root = signed.manifest("{}", layers);
        registry.publish("team/app", "sha256-" + digest.hex() + ".sig", signed, root);
    }

    private String name() {
        return registry.host() + "/team/app";
    }

    private static String signedBy(KeyPair key, String identity) {
        return "[{\"type\":\"sigstoreSigned\",\"keyData\":\"%s\",\"signedIdentity\":{\"type\":\"%s\"}}]"
                .formatted(data(key), identity);
    }

    private static String policy(String scope, String requirements) {
        return "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"docker\":{\"%s\":%s}}}"
                .formatted(scope, requirements);
    }

    private SignaturePolicy read(String policy) throws Exception {
        return SignaturePolicy.read(Files.writeString(directory.resolve("policy.json"), policy));
    }

    private Image pull(String policy) throws Exception {
        try (var store =
                ImageStore.open(
                        directory.resolve("store"), Layers.OPTIONS, read(policy), _ -> {})) {
            return store.pull(
                    reference,
                    PullPolicy.IF_NOT_PRESENT,
                    Progress.NONE,
                    Deadline.after(Duration.ofSeconds(20)));
        }
    }

    private void assertDenied(String policy, String... reasons) throws Exception {
        registry.requests.clear();
        assertThatThrownBy(() -> pull(policy))
                .isInstanceOfSatisfying(
                        PodException.class,
                        e -> assertThat(e.kind()).isEqualTo(PodException.Kind.DENIED))
                .hasMessageContaining(reference)
                .hasMessageContainingAll(reasons);
        assertThat(registry.requests)
                .as("no layer was fetched")
                .noneMatch(path -> path.contains(layer().toString()));
        assertThat(directory.resolve("store/layers/sha256")).isEmptyDirectory();
    }

    private Digest layer() {
        return oci.blobs().keySet().iterator().next();
    }

    @Test
    void anImageSignedByTheKeyOfThePolicyIsPulled() throws Exception {
        attach(
                manifest.digest(),
                signed(other, name(), manifest.digest()),
                signed(key, name(), manifest.digest()));
        assertThat(pull(policy(name(), signedBy(key, "matchRepository"))).names())
                .contains(reference);
    }

    @Test
    void aKeyMayLieInAFile() throws Exception {
        attach(manifest.digest(), signed(key, reference, manifest.digest()));
        var file = Files.writeString(directory.resolve("cosign.pub"), pem(key));
        assertThat(
                        pull(policy(
                                        name(),
                                        "[{\"type\":\"sigstoreSigned\",\"keyPath\":\"%s\"}]"
                                                .formatted(file)))
                                .names())
                .contains(reference);
    }

    @Test
    void anImageWithoutASignatureIsDeniedBeforeItsLayers() throws Exception {
        assertDenied(
                policy(name(), signedBy(key, "matchRepository")),
                "has no signature of " + manifest.digest(),
                name());
    }

    @Test
    void aSignatureByAnotherKeyIsNone() throws Exception {
        attach(manifest.digest(), signed(other, name(), manifest.digest()));
        assertDenied(policy(name(), signedBy(key, "matchRepository")), "not by the key");
    }

    @Test
    void aStatementThatWasChangedAfterItWasSignedIsNone() throws Exception {
        var signed = signed(key, name(), Sha256.of(BASE));
        attach(
                manifest.digest(),
                new Signed(statement(name(), manifest.digest()), signed.signature()),
                new Signed(statement(name(), manifest.digest()), "no base64!"),
                new Signed(statement(name(), manifest.digest()), ""));
        assertDenied(policy(name(), signedBy(key, "matchRepository")), "not by the key");
    }

    @Test
    void aSignatureOfAnotherImageIsNone() throws Exception {
        attach(manifest.digest(), signed(key, name(), Sha256.of(BASE)));
        assertDenied(
                policy(name(), signedBy(key, "matchRepository")),
                "a signature is for " + Sha256.of(BASE));
    }

    @Test
    void aSignatureForAnotherNameIsNone() throws Exception {
        attach(manifest.digest(), signed(key, "registry.example/evil/app:1", manifest.digest()));
        for (var identity : List.of("matchExact", "matchRepoDigestOrExact", "matchRepository")) {
            assertDenied(policy(name(), signedBy(key, identity)), "'registry.example/evil/app:1'");
        }
    }

    @Test
    void theTagCountsUnlessTheRepositoryIsEnough() throws Exception {
        attach(manifest.digest(), signed(key, name() + ":2", manifest.digest()));
        assertDenied(policy(name(), signedBy(key, "matchExact")), ":2'");
        assertDenied(policy(name(), signedBy(key, "matchRepoDigestOrExact")), ":2'");
        assertThat(pull(policy(name(), signedBy(key, "matchRepository")))).isNotNull();
    }

    @Test
    void byDigestTheRepositoryIsEnough() throws Exception {
        attach(manifest.digest(), signed(key, name() + ":2", manifest.digest()));
        reference = name() + "@" + manifest.digest();
        assertDenied(policy(name(), signedBy(key, "matchExact")), ":2'");
        assertThat(pull(policy(name(), signedBy(key, "matchRepoDigestOrExact")))).isNotNull();
    }

    @Test
    void aMirrorsImageMayBeSignedUnderTheNameOfItsOrigin() throws Exception {
        attach(manifest.digest(), signed(key, "registry.example/team/app:1", manifest.digest()));
        for (var identity :
                List.of(
                        "{\"type\":\"remapIdentity\",\"prefix\":\"%s\",\"signedPrefix\":\"registry.example\"}"
                                .formatted(registry.host()),
                        "{\"type\":\"exactReference\",\"dockerReference\":\"registry.example/team/app:1\"}",
                        "{\"type\":\"exactRepository\",\"dockerRepository\":\"registry.example/team/app\"}")) {
            var requirement =
                    "[{\"type\":\"sigstoreSigned\",\"keyData\":\"%s\",\"signedIdentity\":%s}]"
                            .formatted(data(key), identity);
            assertThat(pull(policy(name(), requirement))).isNotNull();
            forget();
        }
    }

    private void forget() throws Exception {
        try (var store = ImageStore.open(directory.resolve("store"), Layers.OPTIONS)) {
            store.remove(reference);
        }
    }

    @Test
    void aSignedIndexStandsForTheImageOfThisPlatform() throws Exception {
        var index =
                oci.index(
                        OciBytes.descriptor(
                                OciBytes.OCI_MANIFEST, manifest, OciBytes.platform("amd64")));
        reference = registry.publish("team/app", oci, index);
        assertDenied(policy("", signedBy(key, "matchRepository")), "no signature");
        attach(index.digest(), signed(key, name(), index.digest()));
        assertThat(pull(policy("", signedBy(key, "matchRepository")))).isNotNull();
        forget();
        attach(manifest.digest(), signed(key, name(), manifest.digest()));
        attach(index.digest());
        assertThat(pull(policy("", signedBy(key, "matchRepository")))).isNotNull();
    }

    @Test
    void whatIsRejectedIsNotEvenAskedFor() throws Exception {
        assertDenied("{\"default\":[{\"type\":\"reject\"}]}", "rejects", "default");
        assertThat(registry.requests).isEmpty();
    }

    @Test
    void everyRequirementMustHold() throws Exception {
        attach(manifest.digest(), signed(key, name(), manifest.digest()));
        var both =
                signedBy(key, "matchRepository").replace("]", ",")
                        + signedBy(other, "matchRepository").substring(1);
        assertDenied(policy(name(), both), "not by the key");
    }

    @Test
    void theMostSpecificScopeCounts() throws Exception {
        var accept = "[{\"type\":\"insecureAcceptAnything\"}]";
        var reject = "[{\"type\":\"reject\"}]";
        for (var scope : List.of(reference, name(), registry.host() + "/team", registry.host())) {
            assertThat(pull(policy(scope, accept))).as(scope).isNotNull();
            forget();
        }
        assertThat(
                        pull(
                                "{\"default\":%s,\"transports\":{\"docker\":{\"%s\":%s,\"%s\":%s,\"\":%s}}}"
                                        .formatted(
                                                reject,
                                                registry.host(),
                                                reject,
                                                name(),
                                                accept,
                                                reject)))
                .isNotNull();
        forget();
        assertDenied(policy(registry.host() + "/tea", accept), "default");
        assertDenied(policy("*.0.0.2", accept), "default");
        assertThat(pull(policy("*.0.0.1", accept))).isNotNull();
    }

    @Test
    void whatAPolicyCannotSayHereIsRefusedByName() {
        var wrong =
                new String[][] {
                    {"{}", "default is not a list"},
                    {"{\"default\":[]}", "empty"},
                    {"not json", "policy.json"},
                    {"{\"default\":[{\"type\":\"reject\"}],\"more\":1}", "'more'"},
                    {"{\"default\":[{\"type\":\"signedBy\"}]}", "'signedBy'"},
                    {"{\"default\":[{\"type\":\"reject\",\"x\":1}]}", "'x'"},
                    {"{\"default\":[{\"type\":\"sigstoreSigned\"}]}", "no key"},
                    {
                        "{\"default\":[{\"type\":\"sigstoreSigned\",\"fulcio\":{}}]}", "'fulcio'",
                    },
                    {
                        "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/nowhere\"}]}",
                        "/nowhere"
                    },
                    {
                        "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyData\":\"%s\"}]}"
                                .formatted(data(key("secp384r1"))),
                        "P-256"
                    },
                    {
                        "{\"default\":[{\"type\":\"sigstoreSigned\",\"keyData\":\"eA==\"}]}",
                        "BEGIN PUBLIC KEY"
                    },
                    {policy("a", signedBy(key, "matchNothing")), "'matchNothing'"},
                };
        for (var one : wrong) {
            assertThatThrownBy(() -> read(one[0]))
                    .as(one[0])
                    .isInstanceOfSatisfying(
                            PodException.class,
                            e ->
                                    assertThat(e.kind())
                                            .isIn(
                                                    PodException.Kind.INVALID,
                                                    PodException.Kind.CORRUPT))
                    .hasMessageContaining(one[1]);
        }
    }

    @Test
    void thePolicyThatDistributionsShipIsRead() throws Exception {
        assertThat(
                        pull(
                                """
                                {"default":[{"type":"insecureAcceptAnything"}],
                                "transports":{"docker-daemon":{"":[{"type":"insecureAcceptAnything"}]}}}
                                """))
                .isNotNull();
    }

    private static final Duration SOON = Duration.ofSeconds(20);
    private static final String ANYTHING = "[{\"type\":\"insecureAcceptAnything\"}]";

    private ImageStore store(String policy) throws Exception {
        return ImageStore.open(directory.resolve("store"), Layers.OPTIONS, read(policy), _ -> {});
    }

    private static String policyOf(String transport, String requirements) {
        return "{\"default\":[{\"type\":\"reject\"}],\"transports\":{\"%s\":{\"\":%s}}}"
                .formatted(transport, requirements);
    }

    @Test
    void importsAreAskedForByTheirTransport() throws Exception {
        var layout = oci.layout(OciBytes.descriptor(OciBytes.OCI_MANIFEST, manifest, ""));
        var docker = dockerArchive();
        for (var accepted : List.of("oci-archive", "docker-archive", "tarball", "docker")) {
            try (var store = store(policyOf(accepted, ANYTHING))) {
                assertImported(store, layout, accepted.equals("oci-archive"));
                assertImported(store, docker, accepted.equals("docker-archive"));
                assertImported(store, BASE, accepted.equals("tarball"));
            }
        }
        try (var store = store(policyOf("tarball", signedBy(key, "matchRepository")))) {
            store.prune(Images.Unwanted.ALL);
            assertThatThrownBy(() -> load(store, BASE)).hasMessageContaining("no signatures");
            assertThat(store.list()).isEmpty();
        }
    }

    private static byte[] dockerArchive() {
        return new TarBytes()
                .file("manifest.json", "[{\"Config\":\"c.json\",\"Layers\":[\"l.tar\"]}]")
                .file("c.json", OciBytes.config("amd64", List.of(BASE)))
                .file("l.tar", BASE)
                .bytes();
    }

    private static void load(ImageStore store, byte[] archive) throws Exception {
        store.load(new ByteArrayInputStream(archive), Optional.of("x"), Progress.NONE);
    }

    private static void assertImported(ImageStore store, byte[] archive, boolean accepted)
            throws Exception {
        if (accepted) {
            load(store, archive);
            return;
        }
        assertThatThrownBy(() -> load(store, archive))
                .isInstanceOfSatisfying(
                        PodException.class,
                        e -> assertThat(e.kind()).isEqualTo(PodException.Kind.DENIED))
                .hasMessageContainingAll("policy.json", "an import");
    }

    @Test
    void anImageThatIsThereIsNotUsedWhereItsNameIsRejectedNow() throws Exception {
        try (var store = store(policyOf("docker", ANYTHING))) {
            store.pull(reference, PullPolicy.ALWAYS, Progress.NONE, Deadline.after(SOON));
        }
        try (var store = store(policyOf("docker", "[{\"type\":\"reject\"}]"))) {
            for (var policy : List.of(PullPolicy.NEVER, PullPolicy.IF_NOT_PRESENT)) {
                assertThatThrownBy(() ->
                                store.pull(reference, policy, Progress.NONE, Deadline.after(SOON)))
                        .hasMessageContaining("rejects");
            }
        }
    }
}
