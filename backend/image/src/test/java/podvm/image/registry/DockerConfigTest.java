package podvm.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Credentials;
import podvm.engine.Deadline;
import podvm.engine.PodException;

@Timeout(60)
class DockerConfigTest {
    private static final Credentials ANONYMOUS = new Credentials.Anonymous();

    @TempDir Path directory;

    private Credentials of(String host, String repository) throws Exception {
        var environment =
                Map.of("DOCKER_CONFIG", directory.toString(), "PATH", "relative:" + directory);
        var options =
                new RegistryOptions(
                        RegistryOptions.NONE.hostsDirectories(),
                        Optional.empty(),
                        environment,
                        RegistryOptions.Patience.DEFAULT);
        return DockerConfig.of(options)
                .of(host, repository, Deadline.after(Duration.ofSeconds(20)));
    }

    private void config(String json) throws Exception {
        Files.writeString(directory.resolve("config.json"), json);
    }

    private void helper(String name, String script) throws Exception {
        var file = directory.resolve("docker-credential-" + name);
        Files.writeString(file, "#!/bin/sh\n" + script);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwx------"));
    }

    @Test
    void whoHasNoFileOrNoEntryIsAnonymous() throws Exception {
        assertThat(of("r.example", "a")).isEqualTo(ANONYMOUS);
        config("{\"auths\":{\"other.example\":{\"auth\":\"dTpw\"}}}");
        assertThat(of("r.example", "a")).isEqualTo(ANONYMOUS);
    }

    @Test
    void entriesAreFoundByHostByAddressAndByTheLongestPath() throws Exception {
        config(
                """
                {"auths":{
                "https://index.docker.io/v1/":{"auth":"aHViOnA6dw=="},
                "r.example:5000":{"username":"plain","password":"p"},
                "r.example:5000/team":{"username":"team","password":"t"},
                "http://old.example/v2/":{"identitytoken":"refresh"},
                "tok.example":{"registrytoken":"bearer"}}}
                """);
        assertThat(of("registry-1.docker.io", "library/x"))
                .isEqualTo(new Credentials.Password("hub", "p:w"));
        assertThat(of("r.example:5000", "other/x"))
                .isEqualTo(new Credentials.Password("plain", "p"));
        assertThat(of("r.example:5000", "team/x")).isEqualTo(new Credentials.Password("team", "t"));
        assertThat(of("r.example", "team/x")).isEqualTo(ANONYMOUS);
        assertThat(of("old.example", "x")).isEqualTo(new Credentials.IdentityToken("refresh"));
        assertThat(of("tok.example", "x")).isEqualTo(new Credentials.RegistryToken("bearer"));
    }

    @Test
    void helpersAreAskedForTheirHostsAndTheStoreForTheOthers() throws Exception {
        config(
                """
                {"credsStore":"all","credHelpers":{"one.example":"one"},
                "auths":{"filed.example":{"auth":"dTpw"},"one.example":{"auth":"dTpw"},
                "stored.example":{}}}
                """);
        helper(
                "one",
                "read server; test \"$1\" = get;"
                        + " echo '{\"Username\":\"<token>\",\"Secret\":\"'$server'\"}'");
        helper("all", "read server; echo '{\"Username\":\"me\",\"Secret\":\"'$server'\"}'");
        assertThat(of("one.example", "x")).isEqualTo(new Credentials.IdentityToken("one.example"));
        assertThat(of("filed.example", "x")).isEqualTo(new Credentials.Password("u", "p"));
        assertThat(of("stored.example", "x"))
                .isEqualTo(new Credentials.Password("me", "stored.example"));
        assertThat(of("registry-1.docker.io", "x"))
                .isEqualTo(new Credentials.Password("me", "https://index.docker.io/v1/"));
    }

    @Test
    void aHelperThatKnowsNothingLeavesUsAnonymous() throws Exception {
        config("{\"credsStore\":\"empty\"}");
        helper("empty", "echo credentials not found in native keychain; exit 1");
        assertThat(of("r.example", "x")).isEqualTo(ANONYMOUS);
    }

    @Test
    void aHelperThatFailsOrIsMissingIsToldByName() throws Exception {
        helper("broken", "echo the keyring is locked; exit 1");
        for (var wrong :
                new String[][] {
                    {"broken", "the keyring is locked"},
                    {"missing", "PATH"},
                    {"../../bin/sh", "no name of a helper"}
                }) {
            config("{\"credsStore\":\"%s\"}".formatted(wrong[0]));
            assertThatThrownBy(() -> of("r.example", "x"))
                    .isInstanceOfSatisfying(
                            PodException.class,
                            e -> assertThat(e.kind()).isEqualTo(PodException.Kind.DENIED))
                    .hasMessageContainingAll("docker-credential-" + wrong[0], wrong[1]);
        }
    }

    @Test
    void secretsAreNotInTheirTexts() {
        for (var credentials :
                new Credentials[] {
                    new Credentials.Password("me", "secret"),
                    new Credentials.IdentityToken("secret"),
                    new Credentials.RegistryToken("secret")
                }) {
            assertThat(credentials.toString()).doesNotContain("secret");
        }
    }

    @Test
    void aMalformedEntryIsToldWithItsFile() throws Exception {
        for (var auth : new String[] {"%%%", "bm9jb2xvbg=="}) {
            config("{\"auths\":{\"r.example\":{\"auth\":\"" + auth + "\"}}}");
            assertThatThrownBy(() -> of("r.example", "x"))
                    .isInstanceOf(PodException.class)
                    .hasMessageContaining("config.json");
        }
    }
}
