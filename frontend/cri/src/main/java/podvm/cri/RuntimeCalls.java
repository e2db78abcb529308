package podvm.cri;

import io.grpc.stub.StreamObserver;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import podvm.cri.streaming.StreamServer;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Sandboxes;
import podvm.proto.cri.v1.*;

/** The service by which the kubelet runs pods: each verb in a file of its own, or a line here. */
final class RuntimeCalls extends RuntimeServiceGrpc.RuntimeServiceImplBase {
    /** The RuntimeClass handlers that lead to a machine on this node. */
    static final Set<String> HANDLERS =
            java.util.Collections.unmodifiableSet(
                    new java.util.LinkedHashSet<>(List.of("", "podvm")));

    private final Sandboxes sandboxes;
    private final Fields fields;
    private final NodeInfo node;
    private final Ids ids;
    private final Status status;
    private final PodSandboxStatusVerb podSandboxStatus;
    private final CreateContainer createContainer;
    private final StopContainer stopContainer;
    private final ContainerStatusVerb containerStatus;
    private final ExecSync execSync;
    private final Exec exec;
    private final Attach attach;
    private final PortForward portForward;
    private final ContainerEvents events;
    private final StatsVerbs stats;
    private final UpdateVerbs update;
    private final MetricsVerbs metrics;

    RuntimeCalls(Sandboxes sandboxes, StreamServer streams, Fields fields, NodeInfo node) {
        this.sandboxes = sandboxes;
        this.fields = fields;
        this.node = node;
        this.ids = new Ids(sandboxes);
        this.status = new Status(node, HANDLERS);
        this.podSandboxStatus = new PodSandboxStatusVerb(sandboxes, ids);
        this.createContainer = new CreateContainer(sandboxes, ids, fields);
        this.stopContainer = new StopContainer(sandboxes, ids);
        this.containerStatus = new ContainerStatusVerb(sandboxes, ids);
        this.execSync = new ExecSync(sandboxes, ids);
        this.exec = new Exec(sandboxes, ids, streams);
        this.attach = new Attach(sandboxes, ids, streams);
        this.portForward = new PortForward(sandboxes, ids, streams);
        this.events = new ContainerEvents(sandboxes);
        this.stats = new StatsVerbs(sandboxes, ids, node);
        this.update = new UpdateVerbs(sandboxes, ids, fields);
        this.metrics = new MetricsVerbs(sandboxes);
    }

    @Override
    public void version(VersionRequest request, StreamObserver<VersionResponse> observer) {
        Calls.answer(
                "Version",
                observer,
                () ->
                        VersionResponse.newBuilder()
                                .setVersion("0.1.0")
                                .setRuntimeName("podvm")
                                .setRuntimeVersion(node.version())
                                .setRuntimeApiVersion("v1")
                                .build());
    }

    @Override
    public void status(StatusRequest request, StreamObserver<StatusResponse> observer) {
        Calls.answer("Status", observer, () -> status.answer(request));
    }

    @Override
    public void runtimeConfig(
            RuntimeConfigRequest request, StreamObserver<RuntimeConfigResponse> observer) {
        Calls.answer("RuntimeConfig", observer, RuntimeCalls::runtimeConfig);
    }

    /** The kubelet's own cgroups follow the init system, as sd_booted(3) finds it. */
    private static RuntimeConfigResponse runtimeConfig() {
        boolean systemd = Files.isDirectory(Path.of("/run/systemd/system"));
        var response = RuntimeConfigResponse.newBuilder();
        response.getLinuxBuilder()
                .setCgroupDriver(systemd ? CgroupDriver.SYSTEMD : CgroupDriver.CGROUPFS);
        return response.build();
    }

    @Override
    public void updateRuntimeConfig(
            UpdateRuntimeConfigRequest request,
            StreamObserver<UpdateRuntimeConfigResponse> observer) {
        Calls.answer(
                "UpdateRuntimeConfig",
                observer,
                () -> {
                    fields.check(request);
                    return UpdateRuntimeConfigResponse.getDefaultInstance();
                });
    }

    @Override
    public void runPodSandbox(
            RunPodSandboxRequest request, StreamObserver<RunPodSandboxResponse> observer) {
        Calls.answer(
                "RunPodSandbox",
                observer,
                () -> {
                    fields.check(request);
                    var id = sandboxes.run(SandboxSpecs.read(request, HANDLERS));
                    return RunPodSandboxResponse.newBuilder().setPodSandboxId(id.text()).build();
                });
    }

    @Override
    public void stopPodSandbox(
            StopPodSandboxRequest request, StreamObserver<StopPodSandboxResponse> observer) {
        Calls.answer(
                "StopPodSandbox",
                observer,
                () -> {
                    var id = ids.findSandbox(request.getPodSandboxId());
                    if (id.isPresent()) {
                        sandboxes.stop(id.get());
                    }
                    return StopPodSandboxResponse.getDefaultInstance();
                });
    }

    @Override
    public void removePodSandbox(
            RemovePodSandboxRequest request, StreamObserver<RemovePodSandboxResponse> observer) {
        Calls.answer(
                "RemovePodSandbox",
                observer,
                () -> {
                    var id = ids.findSandbox(request.getPodSandboxId());
                    if (id.isPresent()) {
                        sandboxes.remove(id.get());
                    }
                    return RemovePodSandboxResponse.getDefaultInstance();
                });
    }

    @Override
    public void podSandboxStatus(
            PodSandboxStatusRequest request, StreamObserver<PodSandboxStatusResponse> observer) {
        Calls.answer("PodSandboxStatus", observer, () -> podSandboxStatus.answer(request));
    }

    private List<PodSandbox> list(PodSandboxFilter filter) {
        return Filters.sandboxes(sandboxes.list(), filter).stream()
                .map(SandboxMessages::item)
                .toList();
    }

    @Override
    public void listPodSandbox(
            ListPodSandboxRequest request, StreamObserver<ListPodSandboxResponse> observer) {
        Calls.answer(
                "ListPodSandbox",
                observer,
                () ->
                        ListPodSandboxResponse.newBuilder()
                                .addAllItems(list(request.getFilter()))
                                .build());
    }

    @Override
    public void streamPodSandboxes(
            StreamPodSandboxesRequest request,
            StreamObserver<StreamPodSandboxesResponse> observer) {
        Calls.stream(
                "StreamPodSandboxes",
                observer,
                out ->
                        Pieces.send(
                                list(request.getFilter()),
                                some ->
                                        StreamPodSandboxesResponse.newBuilder()
                                                .addAllPodSandboxes(some)
                                                .build(),
                                out));
    }

    @Override
    public void createContainer(
            CreateContainerRequest request, StreamObserver<CreateContainerResponse> observer) {
        Calls.answer("CreateContainer", observer, () -> createContainer.answer(request));
    }

    @Override
    public void startContainer(
            StartContainerRequest request, StreamObserver<StartContainerResponse> observer) {
        Calls.answer(
                "StartContainer",
                observer,
                () -> {
                    sandboxes.startContainer(ids.container(request.getContainerId()));
                    return StartContainerResponse.getDefaultInstance();
                });
    }

    @Override
    public void stopContainer(
            StopContainerRequest request, StreamObserver<StopContainerResponse> observer) {
        Calls.answer("StopContainer", observer, () -> stopContainer.answer(request));
    }

    @Override
    public void removeContainer(
            RemoveContainerRequest request, StreamObserver<RemoveContainerResponse> observer) {
        Calls.answer(
                "RemoveContainer",
                observer,
                () -> {
                    var id = ids.findContainer(request.getContainerId());
                    if (id.isPresent()) {
                        sandboxes.removeContainer(id.get());
                    }
                    return RemoveContainerResponse.getDefaultInstance();
                });
    }

    @Override
    public void containerStatus(
            ContainerStatusRequest request, StreamObserver<ContainerStatusResponse> observer) {
        Calls.answer("ContainerStatus", observer, () -> containerStatus.answer(request));
    }

    private List<Container> list(ContainerFilter filter) {
        return Filters.containers(sandboxes.containers(), filter).stream()
                .map(ContainerMessages::item)
                .toList();
    }

    @Override
    public void listContainers(
            ListContainersRequest request, StreamObserver<ListContainersResponse> observer) {
        Calls.answer(
                "ListContainers",
                observer,
                () ->
                        ListContainersResponse.newBuilder()
                                .addAllContainers(list(request.getFilter()))
                                .build());
    }

    @Override
    public void streamContainers(
            StreamContainersRequest request, StreamObserver<StreamContainersResponse> observer) {
        Calls.stream(
                "StreamContainers",
                observer,
                out ->
                        Pieces.send(
                                list(request.getFilter()),
                                some ->
                                        StreamContainersResponse.newBuilder()
                                                .addAllContainers(some)
                                                .build(),
                                out));
    }

    @Override
    public void reopenContainerLog(
            ReopenContainerLogRequest request,
            StreamObserver<ReopenContainerLogResponse> observer) {
        Calls.answer(
                "ReopenContainerLog",
                observer,
                () -> {
                    sandboxes.reopenLog(ids.container(request.getContainerId()));
                    return ReopenContainerLogResponse.getDefaultInstance();
                });
    }

    @Override
    public void execSync(ExecSyncRequest request, StreamObserver<ExecSyncResponse> observer) {
        Calls.answer("ExecSync", observer, () -> execSync.answer(request));
    }

    @Override
    public void exec(ExecRequest request, StreamObserver<ExecResponse> observer) {
        Calls.answer("Exec", observer, () -> exec.answer(request));
    }

    @Override
    public void attach(AttachRequest request, StreamObserver<AttachResponse> observer) {
        Calls.answer("Attach", observer, () -> attach.answer(request));
    }

    @Override
    public void portForward(
            PortForwardRequest request, StreamObserver<PortForwardResponse> observer) {
        Calls.answer("PortForward", observer, () -> portForward.answer(request));
    }

    @Override
    public void getContainerEvents(
            GetEventsRequest request, StreamObserver<ContainerEventResponse> observer) {
        Calls.stream("GetContainerEvents", observer, events::answer);
    }

    @Override
    public void containerStats(
            ContainerStatsRequest request, StreamObserver<ContainerStatsResponse> observer) {
        Calls.answer("ContainerStats", observer, () -> stats.container(request));
    }

    @Override
    public void listContainerStats(
            ListContainerStatsRequest request,
            StreamObserver<ListContainerStatsResponse> observer) {
        Calls.answer(
                "ListContainerStats",
                observer,
                () ->
                        ListContainerStatsResponse.newBuilder()
                                .addAllStats(stats.containers(request.getFilter()))
                                .build());
    }

    @Override
    public void streamContainerStats(
            StreamContainerStatsRequest request,
            StreamObserver<StreamContainerStatsResponse> observer) {
        Calls.stream(
                "StreamContainerStats",
                observer,
                out ->
                        Pieces.send(
                                stats.containers(request.getFilter()),
                                some ->
                                        StreamContainerStatsResponse.newBuilder()
                                                .addAllContainerStats(some)
                                                .build(),
                                out));
    }

    @Override
    public void podSandboxStats(
            PodSandboxStatsRequest request, StreamObserver<PodSandboxStatsResponse> observer) {
        Calls.answer("PodSandboxStats", observer, () -> stats.sandbox(request));
    }

    @Override
    public void listPodSandboxStats(
            ListPodSandboxStatsRequest request,
            StreamObserver<ListPodSandboxStatsResponse> observer) {
        Calls.answer(
                "ListPodSandboxStats",
                observer,
                () ->
                        ListPodSandboxStatsResponse.newBuilder()
                                .addAllStats(stats.sandboxes(request.getFilter()))
                                .build());
    }

    @Override
    public void streamPodSandboxStats(
            StreamPodSandboxStatsRequest request,
            StreamObserver<StreamPodSandboxStatsResponse> observer) {
        Calls.stream(
                "StreamPodSandboxStats",
                observer,
                out ->
                        Pieces.send(
                                stats.sandboxes(request.getFilter()),
                                some ->
                                        StreamPodSandboxStatsResponse.newBuilder()
                                                .addAllPodSandboxStats(some)
                                                .build(),
                                out));
    }

    @Override
    public void listMetricDescriptors(
            ListMetricDescriptorsRequest request,
            StreamObserver<ListMetricDescriptorsResponse> observer) {
        Calls.answer(
                "ListMetricDescriptors",
                observer,
                () ->
                        ListMetricDescriptorsResponse.newBuilder()
                                .addAllDescriptors(MetricsVerbs.descriptors())
                                .build());
    }

    @Override
    public void listPodSandboxMetrics(
            ListPodSandboxMetricsRequest request,
            StreamObserver<ListPodSandboxMetricsResponse> observer) {
        Calls.answer(
                "ListPodSandboxMetrics",
                observer,
                () ->
                        ListPodSandboxMetricsResponse.newBuilder()
                                .addAllPodMetrics(metrics.list())
                                .build());
    }

    @Override
    public void streamPodSandboxMetrics(
            StreamPodSandboxMetricsRequest request,
            StreamObserver<StreamPodSandboxMetricsResponse> observer) {
        Calls.stream(
                "StreamPodSandboxMetrics",
                observer,
                out ->
                        Pieces.send(
                                metrics.list(),
                                some ->
                                        StreamPodSandboxMetricsResponse.newBuilder()
                                                .addAllPodSandboxMetrics(some)
                                                .build(),
                                out));
    }

    @Override
    public void updateContainerResources(
            UpdateContainerResourcesRequest request,
            StreamObserver<UpdateContainerResourcesResponse> observer) {
        Calls.answer("UpdateContainerResources", observer, () -> update.container(request));
    }

    @Override
    public void updatePodSandboxResources(
            UpdatePodSandboxResourcesRequest request,
            StreamObserver<UpdatePodSandboxResourcesResponse> observer) {
        Calls.answer("UpdatePodSandboxResources", observer, () -> update.sandbox(request));
    }

    /** Answers with a reason instead of gRPC's bare word. */
    @Override
    public void checkpointContainer(
            CheckpointContainerRequest request,
            StreamObserver<CheckpointContainerResponse> observer) {
        Calls.answer(
                "CheckpointContainer",
                observer,
                () -> {
                    throw new PodException(
                            Kind.UNSUPPORTED,
                            "CheckpointContainer is not served: a container cannot be checkpointed",
                            "");
                });
    }
}
