package podvm.cri;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import podvm.engine.ContainerId;
import podvm.engine.GuestResources.Detail;
import podvm.engine.GuestStats;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodStats;
import podvm.engine.SandboxContainer;
import podvm.engine.SandboxId;
import podvm.engine.SandboxStatus;
import podvm.engine.Sandboxes;
import podvm.proto.cri.v1.ContainerFilter;
import podvm.proto.cri.v1.ContainerStats;
import podvm.proto.cri.v1.ContainerStatsFilter;
import podvm.proto.cri.v1.ContainerStatsRequest;
import podvm.proto.cri.v1.ContainerStatsResponse;
import podvm.proto.cri.v1.PodSandboxFilter;
import podvm.proto.cri.v1.PodSandboxStats;
import podvm.proto.cri.v1.PodSandboxStatsFilter;
import podvm.proto.cri.v1.PodSandboxStatsRequest;
import podvm.proto.cri.v1.PodSandboxStatsResponse;

/** What containers and sandboxes use. Lists have what runs and nothing else. */
final class StatsVerbs {
    private final Sandboxes sandboxes;
    private final Ids ids;
    private final String disk;

    /**
     * @param node pods' disks are on the file system of its images: the kubelet counts both
     *     together
     */
    StatsVerbs(Sandboxes sandboxes, Ids ids, NodeInfo node) {
        this.sandboxes = sandboxes;
        this.ids = ids;
        this.disk = node.imageDirectory().toString();
    }

    ContainerStatsResponse container(ContainerStatsRequest request)
            throws PodException, InterruptedException {
        var container = sandboxes.container(ids.container(request.getContainerId()));
        if (!running(container)) {
            throw new PodException(
                    Kind.CONFLICT,
                    "container " + container.id() + " is not running",
                    "only what runs can be measured");
        }
        var stats = sandboxes.resources().stats(container.sandbox(), Detail.USUAL);
        return ContainerStatsResponse.newBuilder()
                .setStats(
                        message(container, stats)
                                .orElseThrow(() ->
                                        new PodException(
                                                Kind.CONFLICT,
                                                "container " + container.id() + " has just ended",
                                                "")))
                .build();
    }

    List<ContainerStats> containers(ContainerStatsFilter filter) throws InterruptedException {
        var wanted =
                Filters.containers(
                                sandboxes.containers(),
                                ContainerFilter.newBuilder()
                                        .setId(filter.getId())
                                        .setPodSandboxId(filter.getPodSandboxId())
                                        .putAllLabelSelector(filter.getLabelSelectorMap())
                                        .build())
                        .stream()
                        .filter(StatsVerbs::running)
                        .toList();
        var of = new LinkedHashSet<SandboxId>();
        wanted.forEach(container -> of.add(container.sandbox()));
        var stats = sandboxes.resources().stats(of, Detail.USUAL);
        var messages = new ArrayList<ContainerStats>();
        for (var container : wanted) {
            var measured = stats.get(container.sandbox());
            if (measured != null) {
                message(container, measured).ifPresent(messages::add);
            }
        }
        return messages;
    }

    PodSandboxStatsResponse sandbox(PodSandboxStatsRequest request)
            throws PodException, InterruptedException {
        var id = ids.sandbox(request.getPodSandboxId());
        var stats = sandboxes.resources().stats(id, Detail.USUAL);
        return PodSandboxStatsResponse.newBuilder()
                .setStats(message(sandboxes.status(id), stats, running(sandboxes)))
                .build();
    }

    List<PodSandboxStats> sandboxes(PodSandboxStatsFilter filter) throws InterruptedException {
        var wanted =
                ready(
                        sandboxes,
                        PodSandboxFilter.newBuilder()
                                .setId(filter.getId())
                                .putAllLabelSelector(filter.getLabelSelectorMap())
                                .build());
        var running = running(sandboxes);
        var messages = new ArrayList<PodSandboxStats>();
        for (var measured : sandboxes.resources().stats(wanted.keySet(), Detail.USUAL).entrySet()) {
            var id = measured.getKey();
            var status = wanted.get(id);
            if (status != null) {
                messages.add(message(status, measured.getValue(), running));
            }
        }
        return messages;
    }

    /** Sandboxes that can be measured, in the order they were made in. */
    static Map<SandboxId, SandboxStatus> ready(Sandboxes sandboxes, PodSandboxFilter filter) {
        var found = new LinkedHashMap<SandboxId, SandboxStatus>();
        for (var status : Filters.sandboxes(sandboxes.list(), filter)) {
            if (status.state() == SandboxStatus.State.READY) {
                found.put(status.id(), status);
            }
        }
        return found;
    }

    /** What runs, by the sandbox that it runs in. */
    static Map<SandboxId, List<SandboxContainer>> running(Sandboxes sandboxes) {
        return sandboxes.containers().stream()
                .filter(StatsVerbs::running)
                .collect(Collectors.groupingBy(SandboxContainer::sandbox));
    }

    private static boolean running(SandboxContainer container) {
        return container.state() == SandboxContainer.State.RUNNING;
    }

    private PodSandboxStats message(
            SandboxStatus status, PodStats stats, Map<SandboxId, List<SandboxContainer>> running) {
        return StatsMessages.sandbox(
                status,
                stats,
                running.getOrDefault(status.id(), List.of()).stream()
                        .flatMap(one -> message(one, stats).stream())
                        .toList());
    }

    private Optional<ContainerStats> message(SandboxContainer container, PodStats stats) {
        return use(stats, container.id())
                .map(use -> StatsMessages.container(container, use, stats, disk));
    }

    /** What the guest has measured of a container; empty where it does not know it. */
    static Optional<GuestStats.Container> use(PodStats stats, ContainerId id) {
        return stats.guest().containers().stream().filter(one -> one.id().equals(id)).findFirst();
    }
}
