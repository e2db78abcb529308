package podvm.cri;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import podvm.engine.ContainerId;
import podvm.engine.Networks;
import podvm.engine.PodException;
import podvm.engine.PodStats;
import podvm.engine.SandboxId;
import podvm.engine.fake.FakeSandboxes;
import podvm.engine.fake.SandboxBuilder;
import podvm.proto.cri.v1.ContainerMetrics;
import podvm.proto.cri.v1.ContainerStats;
import podvm.proto.cri.v1.ContainerStatsFilter;
import podvm.proto.cri.v1.ContainerStatsRequest;
import podvm.proto.cri.v1.LinuxContainerResources;
import podvm.proto.cri.v1.Metric;
import podvm.proto.cri.v1.MetricDescriptor;
import podvm.proto.cri.v1.PodSandboxStats;
import podvm.proto.cri.v1.PodSandboxStatsFilter;
import podvm.proto.cri.v1.PodSandboxStatsRequest;
import podvm.proto.cri.v1.UpdateContainerResourcesRequest;
import podvm.proto.cri.v1.UpdatePodSandboxResourcesRequest;

/** Measurements of sandboxes in memory, as the kubelet sees them. */
class StatsVerbsTest {
    private static final long SECOND = 1_000_000;

    private final FakeSandboxes sandboxes = new FakeSandboxes();
    private final StatsVerbs verbs =
            new StatsVerbs(
                    sandboxes,
                    new Ids(sandboxes),
                    new NodeInfo(
                            "1", Path.of("/images"), () -> Networks.Readiness.READY, () -> "{}"));
    private SandboxId web;
    private ContainerId main;

    @BeforeEach
    void run() throws Exception {
        web = sandboxes.run(SandboxBuilder.sandbox("web"));
        main = sandboxes.createContainer(web, SandboxBuilder.container("serve").build());
        sandboxes.startContainer(main);
        sandboxes.resources().meters.use(main, 3 * SECOND, 8 << 20);
        sandboxes.resources().meters.machineUses(9_000_000_000L);
    }

    private ContainerStats container(String id) throws Exception {
        return verbs.container(ContainerStatsRequest.newBuilder().setContainerId(id).build())
                .getStats();
    }

    @Test
    void aContainersNumbersAreTheGuests() throws Exception {
        var stats = container(main.text().substring(0, 13));

        assertThat(stats.getAttributes().getId()).isEqualTo(main.text());
        assertThat(stats.getCpu().getTimestamp()).isPositive();
        assertThat(stats.getCpu().getUsageCoreNanoSeconds().getValue()).isEqualTo(3_000_000_000L);
        assertThat(stats.getCpu().getPsi().getSome().getTotal()).isEqualTo(2_000_000_000L);
        assertThat(stats.getMemory().getUsageBytes().getValue()).isEqualTo(8 << 20);
        assertThat(stats.getMemory().getWorkingSetBytes().getValue()).isEqualTo(7 << 20);
        assertThat(stats.getMemory().hasAvailableBytes()).isFalse();
        assertThat(stats.getWritableLayer().getFsId().getMountpoint()).isEqualTo("/images");
        assertThat(stats.getWritableLayer().getUsedBytes().getValue()).isEqualTo(8192);
    }

    @Test
    void aRateIsToldOnceItIsKnown() throws Exception {
        assertThat(container(main.text()).getCpu().hasUsageNanoCores()).isFalse();

        sandboxes
                .resources()
                .rates(new PodStats.Rates(Optional.of(7L), Optional.of(5L), Map.of(main, 4L)));

        assertThat(container(main.text()).getCpu().getUsageNanoCores().getValue()).isEqualTo(4);
        assertThat(sandbox().getLinux().getCpu().getUsageNanoCores().getValue()).isEqualTo(7);
    }

    private PodSandboxStats sandbox() throws Exception {
        var request = PodSandboxStatsRequest.newBuilder().setPodSandboxId(web.text()).build();
        return verbs.sandbox(request).getStats();
    }

    @Test
    void aPodCostsWhatItsMachineDoes() throws Exception {
        var stats = sandbox().getLinux();

        assertThat(stats.getCpu().getUsageCoreNanoSeconds().getValue()).isEqualTo(9_000_000_000L);
        assertThat(stats.getMemory().getWorkingSetBytes().getValue()).isEqualTo(100 << 20);
        assertThat(stats.getMemory().getRssBytes().getValue()).isEqualTo(200 << 20);
        assertThat(stats.getMemory().getAvailableBytes().getValue()).isEqualTo(128 << 20);
        assertThat(stats.getNetwork().getDefaultInterface().getName()).isEqualTo("eth0");
        assertThat(stats.getNetwork().getInterfacesList()).isEmpty();
        assertThat(stats.getProcess().getProcessCount().getValue()).isEqualTo(1);
        assertThat(stats.getContainersList())
                .singleElement()
                .satisfies(one ->
                        assertThat(one.getCpu().getUsageCoreNanoSeconds().getValue())
                                .isEqualTo(3_000_000_000L));
    }

    @Test
    void aListHasWhatRunsAndMatches() throws Exception {
        var ended =
                sandboxes.createContainer(web, SandboxBuilder.container("once").attempt(1).build());
        sandboxes.startContainer(ended);
        sandboxes.exit(ended, 0);
        var db = sandboxes.run(SandboxBuilder.sandbox("db"));
        var other = sandboxes.createContainer(db, SandboxBuilder.container("store").build());
        sandboxes.startContainer(other);

        assertThat(verbs.containers(ContainerStatsFilter.getDefaultInstance()))
                .extracting(one -> one.getAttributes().getId())
                .containsExactly(main.text(), other.text());
        assertThat(verbs.containers(ContainerStatsFilter.newBuilder().setId(main.brief()).build()))
                .hasSize(1);
        assertThat(
                        verbs.containers(
                                ContainerStatsFilter.newBuilder()
                                        .setPodSandboxId(db.text())
                                        .build()))
                .extracting(one -> one.getAttributes().getId())
                .containsExactly(other.text());
        assertThat(
                        verbs.containers(
                                ContainerStatsFilter.newBuilder()
                                        .putLabelSelector("no", "such")
                                        .build()))
                .isEmpty();

        sandboxes.stop(db);

        assertThat(verbs.sandboxes(PodSandboxStatsFilter.getDefaultInstance()))
                .extracting(one -> one.getAttributes().getId())
                .containsExactly(web.text());
    }

    @Test
    void whatDoesNotRunIsNotMeasured() throws Exception {
        sandboxes.exit(main, 0);
        assertThatThrownBy(() -> container(main.text()))
                .isInstanceOf(PodException.class)
                .hasMessageContaining("is not running");
        sandboxes.stop(web);
        assertThatThrownBy(this::sandbox)
                .isInstanceOf(PodException.class)
                .hasMessageContaining("is not ready");
    }

    @Test
    void eachSampleHasAValueForEachLabelOfItsDescriptor() throws Exception {
        var described = new java.util.HashMap<String, MetricDescriptor>();
        for (var one : MetricsVerbs.descriptors()) {
            assertThat(described.put(one.getName(), one)).isNull();
            assertThat(one.getHelp()).isNotEmpty();
        }
        var pod = new MetricsVerbs(sandboxes).list().getFirst();
        var samples =
                Stream.concat(
                                pod.getMetricsList().stream(),
                                pod.getContainerMetricsList().stream()
                                        .map(ContainerMetrics::getMetricsList)
                                        .flatMap(java.util.List::stream))
                        .toList();

        assertThat(samples)
                .allSatisfy(sample ->
                        assertThat(sample.getLabelValuesCount())
                                .as(sample.getName())
                                .isEqualTo(described.get(sample.getName()).getLabelKeysCount()));
        // all but what nobody has asked of this container
        assertThat(samples.stream().map(Metric::getName).distinct())
                .containsAll(
                        described.keySet().stream()
                                .filter(name -> !name.equals("container_spec_cpu_quota"))
                                .filter(name -> !name.equals("container_spec_cpu_shares"))
                                .toList());
    }

    @Test
    void metricsAreSelectedByTheLabelsOfDashboards() throws Exception {
        var metrics =
                new MetricsVerbs(sandboxes)
                        .list()
                        .getFirst()
                        .getContainerMetrics(0)
                        .getMetricsList();
        var usage =
                metrics.stream()
                        .filter(one -> one.getName().equals("container_cpu_usage_seconds_total"))
                        .findFirst()
                        .orElseThrow();

        assertThat(usage.getValue().getValue()).isEqualTo(3);
        assertThat(usage.getLabelValuesList())
                .containsExactly(
                        sandboxes.container(main).config().metadata().name(),
                        main.text(),
                        sandboxes.container(main).config().imageAsked(),
                        main.text(),
                        "default",
                        "web");
    }

    @Test
    void aChangeOfLimitsIsReadAsLimitsAre() throws Exception {
        var verbs = new UpdateVerbs(sandboxes, new Ids(sandboxes), new Fields(_ -> {}));
        var limits =
                LinuxContainerResources.newBuilder()
                        .setCpuQuota(20_000)
                        .setMemoryLimitInBytes(1 << 20)
                        .putUnified("pids.max", "7")
                        .build();

        verbs.container(
                UpdateContainerResourcesRequest.newBuilder()
                        .setContainerId(main.brief())
                        .setLinux(limits)
                        .build());
        verbs.sandbox(
                UpdatePodSandboxResourcesRequest.newBuilder()
                        .setPodSandboxId(web.text())
                        .setResources(limits)
                        .build());

        var now = sandboxes.container(main).config().resources();
        assertThat(now.cpuQuotaMicros()).isEqualTo(20_000);
        assertThat(now.memoryBytes()).isEqualTo(1 << 20);
        assertThat(now.unified()).containsEntry("pids.max", "7");
        assertThat(sandboxes.resources().podChanges()).containsExactly(now);
    }
}
