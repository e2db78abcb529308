package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static podvm.engine.fake.PodBuilder.container;
import static podvm.engine.fake.PodBuilder.limits;
import static podvm.engine.fake.PodBuilder.pod;
import static podvm.engine.fake.PodBuilder.withEnv;
import static podvm.engine.fake.PodBuilder.withResources;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import podvm.engine.ContainerSpec.EnvSpec;
import podvm.engine.ImageConfig;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.fake.FakeImages;

final class EnvironmentTest {
    private static final PodId ID = new PodId("00112233445566778899aabbccddeeff");

    private static Map<String, String> of(EnvSpec... env) throws PodException {
        var container = withResources(withEnv(container("app"), env), limits(1500L, 100L << 20));
        var spec = pod("web").in("shop").run(container).run("other").build();
        return new Environment(
                        ID,
                        spec,
                        "node-1",
                        List.of("10.0.2.15", "fd00::15"),
                        new MachineSize(3, 640))
                .of(container);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '"',
            value = {
                "$(A)|1",
                "x$(A)y$(B)|x1y2",
                "$(C)|$(C)",
                "$$(A)|$(A)",
                "$$$(A)|$1",
                "$A|$A",
                "$|$",
                "$(A|$(A",
                "a$|a$",
                "$()|$()",
                "$$|$",
            })
    void referencesAreExpandedAsInKubernetes(String text, String expanded) {
        assertThat(Environment.expand(text, Map.of("A", "1", "B", "2"))).isEqualTo(expanded);
    }

    @Test
    void aVariableMayUseEarlierOnesAndNotLaterOnes() throws Exception {
        assertThat(
                        of(
                                new EnvSpec.Text("LATE", "$(EARLY)"),
                                new EnvSpec.Text("EARLY", "1"),
                                new EnvSpec.Text("BOTH", "$(EARLY)$(LATE)")))
                .containsEntry("LATE", "$(EARLY)")
                .containsEntry("BOTH", "1$(EARLY)");
    }

    @Test
    void theLaterOfTwoVariablesWins() throws Exception {
        assertThat(of(new EnvSpec.Text("A", "1"), new EnvSpec.Text("A", "$(A)2")))
                .containsEntry("A", "12");
    }

    @Test
    void aValueFromASecretIsNotExpanded() throws Exception {
        assertThat(of(new EnvSpec.Text("A", "1"), new EnvSpec.Verbatim("S", "$(A)$$")))
                .containsEntry("S", "$(A)$$");
    }

    @ParameterizedTest
    @CsvSource({
        "metadata.name, web",
        "metadata.namespace, shop",
        "metadata.uid, 00112233-4455-6677-8899-aabbccddeeff",
        "metadata.labels['app'], web",
        "metadata.labels['none'], ''",
        "metadata.annotations['note'], of web",
        "spec.nodeName, node-1",
        "spec.serviceAccountName, default",
        "status.podIP, 10.0.2.15",
        "'status.podIPs', '10.0.2.15,fd00::15'",
        "status.hostIP, 127.0.0.1",
    })
    void fieldsOfThePodAreKnown(String path, String value) throws Exception {
        assertThat(of(new EnvSpec.Field("F", path))).containsEntry("F", value);
    }

    @Test
    void anUnknownFieldIsRefusedByName() {
        assertThatThrownBy(() -> of(new EnvSpec.Field("F", "status.mood")))
                .hasMessageContaining("unknown fieldPath: status.mood");
    }

    @ParameterizedTest
    @CsvSource({
        "app, limits.cpu, 1000, 2",
        "app, limits.cpu, 1, 1500",
        "app, requests.cpu, 1, 1500",
        "app, limits.memory, 1, 104857600",
        "app, limits.memory, 1048576, 100",
        "app, limits.memory, 1000000, 105",
        "other, limits.cpu, 1000, 3",
        "other, limits.memory, 1048576, 640",
        "other, requests.memory, 1, 0",
    })
    void resourcesAreRoundedUpAndFallBackToTheMachine(
            String container, String resource, long divisor, String value) throws Exception {
        assertThat(of(new EnvSpec.Resource("R", container, resource, divisor)))
                .containsEntry("R", value);
    }

    @Test
    void aWrongResourceReferenceIsRefused() {
        assertThatThrownBy(() -> of(new EnvSpec.Resource("R", "nobody", "limits.cpu", 1)))
                .hasMessageContaining("names no container: nobody");
        assertThatThrownBy(() -> of(new EnvSpec.Resource("R", "app", "limits.love", 1)))
                .hasMessageContaining("unknown resource: limits.love");
        assertThatThrownBy(() -> of(new EnvSpec.Resource("R", "app", "limits.cpu", 0)))
                .isInstanceOf(PodException.class);
    }

    @Test
    void theManifestsVariablesReplaceTheImages() {
        var config =
                new ImageConfig(
                        List.of(),
                        List.of(),
                        List.of("PATH=/bin", "EMPTY", "A=b=c"),
                        "",
                        "",
                        "",
                        Map.of());
        var image = new FakeImages().put("i", config);
        assertThat(Environment.merge(image, Map.of("PATH", "/usr/bin")))
                .containsExactly("PATH=/usr/bin", "EMPTY=", "A=b=c");
    }
}
