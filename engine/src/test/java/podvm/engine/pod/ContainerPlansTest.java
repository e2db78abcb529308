package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static podvm.engine.fake.PodBuilder.container;
import static podvm.engine.fake.PodBuilder.limits;
import static podvm.engine.fake.PodBuilder.pod;
import static podvm.engine.fake.PodBuilder.withArgs;
import static podvm.engine.fake.PodBuilder.withMounts;
import static podvm.engine.fake.PodBuilder.withResources;
import static podvm.engine.fake.PodBuilder.withSecurity;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import podvm.engine.Agent.ContainerPlan;
import podvm.engine.Agent.MountSource;
import podvm.engine.ContainerId;
import podvm.engine.ContainerSpec;
import podvm.engine.ContainerSpec.MountSpec;
import podvm.engine.ContainerSpec.Resources;
import podvm.engine.ContainerSpec.SecuritySpec;
import podvm.engine.ImageConfig;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodSpec;
import podvm.engine.VolumeSpec;
import podvm.engine.fake.FakeImages;

final class ContainerPlansTest {
    private static final ImageConfig CONFIG =
            new ImageConfig(
                    List.of("/entry", "$(A)$$"),
                    List.of("cmd"),
                    List.of(),
                    "app",
                    "/srv",
                    "",
                    Map.of());

    private static ContainerPlan plan(PodSpec pod, ContainerSpec container) throws PodException {
        return plan(pod, container, CONFIG);
    }

    private static ContainerPlan plan(PodSpec pod, ContainerSpec container, ImageConfig config)
            throws PodException {
        return ContainerPlans.of(
                ContainerId.random(),
                pod,
                container,
                new FakeImages().put("image", config),
                Map.of("A", "1"),
                new MachineSize(1, 1000));
    }

    private static ContainerPlan plan(ContainerSpec container) throws PodException {
        return plan(pod("web").run(container).build(), container);
    }

    private static ContainerSpec image() {
        return container("app", "image", List.of());
    }

    @Test
    void theImagesCommandIsTakenAsItIs() throws Exception {
        assertThat(plan(image()).process().args()).containsExactly("/entry", "$(A)$$", "cmd");
    }

    @Test
    void argsReplaceTheImagesCmdAndOnlyTheyAreExpanded() throws Exception {
        assertThat(plan(withArgs(image(), "$(A)")).process().args())
                .containsExactly("/entry", "$(A)$$", "1");
    }

    @Test
    void aCommandReplacesEntrypointAndCmd() throws Exception {
        assertThat(plan(container("run", "$(A)")).process().args()).containsExactly("run", "1");
        assertThat(plan(withArgs(container("run"), "x")).process().args())
                .containsExactly("run", "x");
    }

    @Test
    void aContainerWithoutAnyCommandIsRefused() {
        var empty = new ImageConfig(List.of(), List.of(), List.of(), "", "", "", Map.of());
        var container = image();
        assertThatThrownBy(() -> plan(pod("web").run(container).build(), container, empty))
                .hasMessageContaining("container app has no command")
                .hasMessageContaining("image image");
    }

    @Test
    void theImagesUserAndDirectoryAreTakenWhereTheManifestSaysNothing() throws Exception {
        var process = plan(image()).process();
        assertThat(process.user()).isEqualTo("app");
        assertThat(process.workingDir()).isEqualTo("/srv");
        var security = security(Optional.of(7), false, Set.of(), Set.of());
        assertThat(plan(withSecurity(image(), security)).process().user()).isEqualTo("7");
    }

    @Test
    void whoMustNotBeRootMustBeKnownNotToBe() throws Exception {
        var nonRoot = security(Optional.empty(), true, Set.of(), Set.of());
        assertThatThrownBy(() -> plan(withSecurity(image(), nonRoot)))
                .hasMessageContaining("the name app, which cannot be checked");
        var root = security(Optional.of(0), true, Set.of(), Set.of());
        assertThatThrownBy(() -> plan(withSecurity(image(), root)))
                .hasMessageContaining("its user is root");
        var other = security(Optional.of(5), true, Set.of(), Set.of());
        assertThat(plan(withSecurity(image(), other)).process().user()).isEqualTo("5");
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "1, 1", "100, 4", "1000, 39", "2000, 79", "256000, 10000", "900000, 10000"})
    void cpuRequestsBecomeWeights(long millis, int weight) throws Exception {
        var resources =
                new Resources(
                        Optional.empty(),
                        Optional.of(millis),
                        Optional.empty(),
                        Optional.empty(),
                        Map.of());
        assertThat(plan(withResources(image(), resources)).limits().cpuWeight()).isEqualTo(weight);
    }

    @Test
    void aCpuLimitBecomesAQuotaOfAtLeastAMillisecond() throws Exception {
        var half = plan(withResources(image(), limits(500L, 1L << 20))).limits();
        assertThat(half.cpuQuotaMicros()).isEqualTo(50_000);
        assertThat(half.cpuPeriodMicros()).isEqualTo(100_000);
        assertThat(half.memoryMaxBytes()).isEqualTo(1 << 20);
        assertThat(plan(withResources(image(), limits(1L, null))).limits().cpuQuotaMicros())
                .isEqualTo(1000);
        assertThat(plan(image()).limits().cpuQuotaMicros()).isZero();
        assertThat(plan(image()).limits().cpuPeriodMicros()).isZero();
    }

    @Test
    void oomScoresAreTheKubelets() throws Exception {
        assertThat(plan(image()).process().oomScoreAdj()).isEqualTo(1000);
        var full = withResources(image(), limits(500L, 100L << 20));
        assertThat(plan(full).process().oomScoreAdj()).isEqualTo(-997);
        var burstable = pod("web").run(full).run("other").build();
        assertThat(plan(burstable, full).process().oomScoreAdj()).isEqualTo(900);
        var greedy = withResources(image(), limits(null, 2000L << 20));
        assertThat(plan(greedy).process().oomScoreAdj()).isEqualTo(3);
        var modest = withResources(image(), limits(null, 1L));
        assertThat(plan(modest).process().oomScoreAdj()).isEqualTo(999);
    }

    @Test
    void anInitContainerWithoutLimitsMakesAPodBurstable() throws Exception {
        var full = withResources(image(), limits(500L, 100L << 20));
        var pod = pod("web").init("prepare").run(full).build();
        assertThat(plan(pod, full).process().oomScoreAdj()).isEqualTo(900);
    }

    @Test
    void capabilitiesAreAddedAndDropped() throws Exception {
        assertThat(plan(image()).security().capabilities())
                .hasSize(14)
                .contains("CAP_CHOWN", "CAP_KILL")
                .doesNotContain("CAP_SYS_ADMIN");
        assertThat(capabilities(Set.of("NET_ADMIN"), Set.of("ALL")))
                .containsExactly("CAP_NET_ADMIN");
        assertThat(capabilities(Set.of(), Set.of("CHOWN"))).hasSize(13);
        assertThat(capabilities(Set.of("ALL"), Set.of("SYS_ADMIN")))
                .contains("CAP_BPF", "CAP_CHOWN")
                .doesNotContain("CAP_SYS_ADMIN", "CAP_ALL")
                .hasSize(40);
        assertThat(capabilities(Set.of(), Set.of("ALL"))).isEmpty();
    }

    private static List<String> capabilities(Set<String> add, Set<String> drop)
            throws PodException {
        var security = security(Optional.empty(), false, add, drop);
        return plan(withSecurity(image(), security)).security().capabilities();
    }

    private static SecuritySpec security(
            Optional<Integer> user, boolean nonRoot, Set<String> add, Set<String> drop) {
        return new SecuritySpec(
                user, Optional.empty(), nonRoot, List.of(), false, true, false, false, add, drop);
    }

    @Test
    void volumesBecomeMountsAndFilesAreReadOnly() throws Exception {
        var container =
                withMounts(
                        image(),
                        new MountSpec("files", "/etc/files", false, "key"),
                        new MountSpec("work", "/work", false, ""),
                        new MountSpec("ram", "/ram", true, ""));
        var pod =
                pod("web")
                        .volume("files", new VolumeSpec.Files(List.of()))
                        .volume("work", new VolumeSpec.EmptyDir())
                        .volume("ram", new VolumeSpec.Memory(5))
                        .run(container)
                        .build();
        var mounts = plan(pod, container).mounts();
        assertThat(mounts)
                .extracting(mount -> mount.source())
                .containsExactly(
                        new MountSource.Files("files"),
                        new MountSource.EmptyDir("work"),
                        new MountSource.Memory("ram", 5));
        assertThat(mounts).extracting(mount -> mount.readOnly()).containsExactly(true, false, true);
        assertThat(mounts.getFirst().subPath()).isEqualTo("key");
    }
}
