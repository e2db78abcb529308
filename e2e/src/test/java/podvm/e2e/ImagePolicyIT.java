package podvm.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A node that takes signed images only, from a real registry. */
class ImagePolicyIT {
    private static final KeyPair KEY = key();
    private static final Path POLICY = policy();

    @RegisterExtension static final Node node = Node.with("image.policy=" + POLICY).withoutImage();

    private static Registry registry;

    private static KeyPair key() {
        try {
            var generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec("secp256r1"));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has P-256", e);
        }
    }

    private static Path policy() {
        var work = Distribution.here().work();
        try {
            Files.writeString(
                    work.resolve("cosign.pub"),
                    "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n"
                            .formatted(
                                    Base64.getMimeEncoder(64, new byte[] {'\n'})
                                            .encodeToString(KEY.getPublic().getEncoded())));
            return Files.writeString(
                    work.resolve("policy.json"),
                    """
                    {"default": [{"type": "reject"}],
                     "transports": {"docker": {"*.0.0.1": [
                       {"type": "sigstoreSigned", "keyPath": "%s",
                        "signedIdentity": {"type": "matchRepository"}}]}}}
                    """
                            .formatted(work.resolve("cosign.pub")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @BeforeAll
    static void aRegistry() throws Exception {
        assumeTrue(
                Host.has("docker-registry"),
                "no docker-registry on the PATH: setup/run test brings it");
        registry = Registry.start(node.base().resolve("manifests/registry"));
    }

    @AfterAll
    static void theRegistryEnds() throws Exception {
        if (registry != null) {
            registry.close();
        }
    }

    private static String push(String name) throws Exception {
        var layer = Box.layer();
        return registry.push(
                name,
                "1",
                ImageArchives.configuration("\"Cmd\":[\"true\"]", "amd64", layer),
                ImageArchives.gzip(layer));
    }

    private static String signatureTag(String digest) {
        return digest.replace(":", "-") + ".sig";
    }

    /** As cosign does it. */
    private static void sign(String name, String digest) throws Exception {
        var statement =
                """
                {"critical":{"identity":{"docker-reference":"%s/team/signed"},\
                "image":{"docker-manifest-digest":"%s"},\
                "type":"cosign container image signature"},"optional":null}\
                """
                        .formatted(registry.host(), digest)
                        .getBytes(UTF_8);
        var signature = Signature.getInstance("SHA256withECDSA");
        signature.initSign(KEY.getPrivate());
        signature.update(statement);
        var config = "{}".getBytes(UTF_8);
        registry.push(
                name,
                signatureTag(digest),
                """
                {"schemaVersion":2,"mediaType":"%s",
                "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%s","size":%d},
                "layers":[{"mediaType":"application/vnd.dev.cosign.simplesigning.v1+json","digest":"sha256:%s","size":%d,
                "annotations":{"dev.cosignproject.cosign/signature":"%s"}}]}
                """
                        .formatted(
                                ImageArchives.MANIFEST_TYPE,
                                ImageArchives.digest(config),
                                config.length,
                                ImageArchives.digest(statement),
                                statement.length,
                                Base64.getEncoder().encodeToString(signature.sign())),
                config,
                statement);
    }

    @Test
    void anImageIsPulledOnceItsSignatureLiesBesideIt() throws Exception {
        assumeTrue(Host.has("skopeo"), "no skopeo on the PATH: setup/run test brings it");
        var digest = push("team/signed");
        var name = registry.host() + "/team/signed:1";
        assertThat(node.podvm("pull", name).expect(125).err())
                .contains(name, "no signature", digest);
        sign("elsewhere/signatures", digest);
        Host.command(
                "skopeo",
                "copy",
                "--insecure-policy",
                "--src-tls-verify=false",
                "--dest-tls-verify=false",
                "docker://%s/elsewhere/signatures:%s"
                        .formatted(registry.host(), signatureTag(digest)),
                "docker://%s/team/signed:%s".formatted(registry.host(), signatureTag(digest)));
        node.podvm("pull", name).expect(0);
    }

    @Test
    void anImageThatFailsItsPolicyNeverBecomesADisk() throws Exception {
        var digest = push("team/other");
        var name = registry.host() + "/team/other:1";
        sign("team/other", digest);
        assertThat(node.podvm("pull", name).expect(125).err())
                .contains(name, "team/signed'", "policy.json");
        assertThat(node.podvm("pull", "docker.io/library/nothing").expect(125).err())
                .contains("rejects");
        assertThat(node.podvm("images", "-o", "json").expect(0).out()).doesNotContain("other");
    }

    @Test
    void doctorTellsWhichPolicyHolds() throws Exception {
        assertThat(node.podvm("doctor").out()).contains("pulled as " + POLICY + " allows");
    }
}
