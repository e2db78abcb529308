package podvm.cri;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import podvm.cri.MetricTable.Subject;
import podvm.engine.GuestResources.Detail;
import podvm.engine.PodStats;
import podvm.engine.SandboxContainer;
import podvm.engine.SandboxStatus;
import podvm.engine.Sandboxes;
import podvm.proto.cri.v1.ContainerMetrics;
import podvm.proto.cri.v1.Metric;
import podvm.proto.cri.v1.MetricDescriptor;
import podvm.proto.cri.v1.PodSandboxFilter;
import podvm.proto.cri.v1.PodSandboxMetrics;

/** Metrics for Prometheus, which the kubelet hands on as they are. */
final class MetricsVerbs {
    private final Sandboxes sandboxes;

    MetricsVerbs(Sandboxes sandboxes) {
        this.sandboxes = sandboxes;
    }

    /** A name that containers and pods share is described once. */
    static List<MetricDescriptor> descriptors() {
        Map<String, MetricDescriptor> all = new LinkedHashMap<>();
        MetricTable.OF_CONTAINER.forEach(metric -> all.put(metric.name(), descriptor(metric)));
        MetricTable.OF_POD.forEach(metric -> all.putIfAbsent(metric.name(), descriptor(metric)));
        return List.copyOf(all.values());
    }

    private static MetricDescriptor descriptor(MetricTable.Metric<?> metric) {
        return MetricDescriptor.newBuilder()
                .setName(metric.name())
                .setHelp(metric.help())
                .addAllLabelKeys(MetricTable.LABELS)
                .addAllLabelKeys(metric.labels())
                .build();
    }

    List<PodSandboxMetrics> list() throws InterruptedException {
        var ready = StatsVerbs.ready(sandboxes, PodSandboxFilter.getDefaultInstance());
        var measured = sandboxes.resources().stats(ready.keySet(), Detail.OPEN_FILES);
        var running = StatsVerbs.running(sandboxes);
        var messages = new ArrayList<PodSandboxMetrics>();
        measured.forEach((id, stats) -> {
            var status = ready.get(id);
            if (status != null) {
                messages.add(pod(status, stats, running.getOrDefault(id, List.of())));
            }
        });
        return messages;
    }

    private static PodSandboxMetrics pod(
            SandboxStatus status, PodStats stats, List<SandboxContainer> running) {
        var metadata = status.spec().metadata();
        var message = PodSandboxMetrics.newBuilder().setPodSandboxId(status.id().text());
        var labels = List.of("", status.id().text(), "", "", metadata.namespace(), metadata.name());
        message.addAllMetrics(samples(MetricTable.OF_POD, stats, labels, stats));
        for (var container : running) {
            StatsVerbs.use(stats, container.id())
                    .map(use -> new Subject(container, use, stats))
                    .ifPresent(one -> message.addContainerMetrics(container(status, one)));
        }
        return message.build();
    }

    private static ContainerMetrics container(SandboxStatus status, Subject one) {
        var metadata = status.spec().metadata();
        var container = one.container();
        var id = container.id().text();
        var labels =
                List.of(
                        container.config().metadata().name(),
                        id,
                        container.config().imageAsked().isEmpty()
                                ? container.config().image()
                                : container.config().imageAsked(),
                        id,
                        metadata.namespace(),
                        metadata.name());
        return ContainerMetrics.newBuilder()
                .setContainerId(id)
                .addAllMetrics(samples(MetricTable.OF_CONTAINER, one, labels, one.stats()))
                .build();
    }

    private static <S> List<Metric> samples(
            List<MetricTable.Metric<S>> table, S subject, List<String> labels, PodStats stats) {
        var all = new ArrayList<Metric>();
        for (var metric : table) {
            metric.samples()
                    .apply(subject)
                    .forEach(sample ->
                            all.add(
                                    Metric.newBuilder()
                                            .setName(metric.name())
                                            .setTimestamp(Times.nanos(stats.at()))
                                            .setMetricType(metric.type())
                                            .addAllLabelValues(labels)
                                            .addAllLabelValues(sample.labels())
                                            .setValue(StatsMessages.value(sample.value()))
                                            .build()));
        }
        return all;
    }
}
