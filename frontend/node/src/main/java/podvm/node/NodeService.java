package podvm.node;

import com.google.protobuf.UnsafeByteOperations;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import podvm.engine.Agent;
import podvm.engine.Finding;
import podvm.engine.MachineTemplates;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.PodStatus;
import podvm.engine.Pods;
import podvm.proto.node.v1.*;

/** podvm.node.v1 on top of the engine's pods. */
public final class NodeService extends NodeGrpc.NodeImplBase {
    private final Pods pods;
    private final ImageCalls images;
    private final TemplateCalls templates;
    private final Supplier<VersionResponse> version;
    private final Supplier<List<Finding>> findings;

    /** Of a node where every machine boots on its own. */
    public NodeService(
            Pods pods, Supplier<VersionResponse> version, Supplier<List<Finding>> findings) {
        this(pods, MachineTemplates.NONE, version, findings);
    }

    public NodeService(
            Pods pods,
            MachineTemplates templates,
            Supplier<VersionResponse> version,
            Supplier<List<Finding>> findings) {
        this.pods = pods;
        this.templates = new TemplateCalls(templates);
        this.images = new ImageCalls(pods.images());
        this.version = version;
        this.findings = findings;
    }

    @Override
    public void version(VersionRequest request, StreamObserver<VersionResponse> observer) {
        Work.answer("version", observer, version::get);
    }

    @Override
    public void doctor(DoctorRequest request, StreamObserver<DoctorResponse> observer) {
        Work.answer("doctor", observer, () -> Findings.message(findings.get()));
    }

    @Override
    public void runPods(RunPodsRequest request, StreamObserver<RunPodsEvent> observer) {
        Work.stream("run", observer, new RunPods(pods, request));
    }

    @Override
    public void listPods(ListPodsRequest request, StreamObserver<ListPodsResponse> observer) {
        Work.answer("list", observer, () -> list(request.getAll()));
    }

    private ListPodsResponse list(boolean all) {
        var response = ListPodsResponse.newBuilder();
        pods.list().stream()
                .filter(status -> all || !status.phase().ended())
                .forEach(status -> response.addPods(PodMessages.pod(status)));
        return response.build();
    }

    @Override
    public void getPod(GetPodRequest request, StreamObserver<Pod> observer) {
        Work.answer("get", observer, () -> PodMessages.pod(pods.status(resolve(request.getPod()))));
    }

    @Override
    public void waitPod(WaitPodRequest request, StreamObserver<Pod> observer) {
        Work.answer("wait", observer, () -> PodMessages.pod(awaitEnd(resolve(request.getPod()))));
    }

    private PodStatus awaitEnd(PodId pod) throws PodException, InterruptedException {
        var status = pods.status(pod);
        while (!status.phase().ended()) {
            status = RunPods.awaitChange(pods, status);
        }
        return status;
    }

    @Override
    public void stopPod(StopPodRequest request, StreamObserver<StopPodResponse> observer) {
        Work.answer(
                "stop",
                observer,
                () -> {
                    var grace =
                            request.hasGraceSeconds()
                                    ? Optional.of(
                                            Duration.ofSeconds(
                                                    Integer.toUnsignedLong(
                                                            request.getGraceSeconds())))
                                    : Optional.<Duration>empty();
                    pods.stop(resolve(request.getPod()), grace);
                    return StopPodResponse.getDefaultInstance();
                });
    }

    @Override
    public void removePod(RemovePodRequest request, StreamObserver<RemovePodResponse> observer) {
        Work.answer(
                "remove",
                observer,
                () -> {
                    pods.remove(resolve(request.getPod()), request.getForce());
                    return RemovePodResponse.getDefaultInstance();
                });
    }

    @Override
    public void logs(LogsRequest request, StreamObserver<LogLine> observer) {
        Work.stream(
                "logs",
                observer,
                out ->
                        pods.logs(
                                resolve(request.getPod()),
                                Optional.of(request.getContainer()).filter(c -> !c.isEmpty()),
                                query(request),
                                new Pods.LogReader() {
                                    @Override
                                    public void line(Pods.LogLine line) throws IOException {
                                        out.send(message(line));
                                    }

                                    @Override
                                    public void lost(String container) throws IOException {
                                        out.send(
                                                LogLine.newBuilder()
                                                        .setContainer(container)
                                                        .setLost(true)
                                                        .build());
                                    }
                                }));
    }

    private static Pods.LogQuery query(LogsRequest request) {
        return new Pods.LogQuery(
                follow(request),
                PodMessages.since(request.getSinceUnixNs()),
                request.hasTail() ? Optional.of(atMostInt(request.getTail())) : Optional.empty());
    }

    private static Pods.Follow follow(LogsRequest request) {
        if (!request.getFollow()) {
            return Pods.Follow.NO;
        }
        return request.getHold() ? Pods.Follow.HOLD : Pods.Follow.YES;
    }

    /** The wire's numbers are unsigned. */
    private static int atMostInt(int unsigned) {
        return unsigned < 0 ? Integer.MAX_VALUE : unsigned;
    }

    private static LogLine message(Pods.LogLine line) {
        return LogLine.newBuilder()
                .setContainer(line.container())
                .setStream(line.stream() == Agent.OutputStreamKind.STDOUT ? 1 : 2)
                .setTimeUnixNs(PodMessages.nanos(line.time()))
                .setText(UnsafeByteOperations.unsafeWrap(line.text()))
                .setPartial(line.partial())
                .build();
    }

    @Override
    public StreamObserver<ExecRequest> exec(StreamObserver<ExecResponse> observer) {
        var in = new Inlet<ExecRequest>((ServerCallStreamObserver<ExecResponse>) observer);
        Work.stream("exec", observer, new Exec(pods, in));
        return in;
    }

    @Override
    public StreamObserver<AttachRequest> attach(StreamObserver<AttachResponse> observer) {
        var in = new Inlet<AttachRequest>((ServerCallStreamObserver<AttachResponse>) observer);
        Work.stream("attach", observer, new Attach(pods, in));
        return in;
    }

    @Override
    public StreamObserver<ConnectRequest> connect(StreamObserver<ConnectResponse> observer) {
        var in = new Inlet<ConnectRequest>((ServerCallStreamObserver<ConnectResponse>) observer);
        Work.stream("connect", observer, new Connect(pods, in));
        return in;
    }

    @Override
    public void readFiles(ReadFilesRequest request, StreamObserver<FilePiece> observer) {
        Work.stream("read-files", observer, out -> FileCalls.read(pods, request, out));
    }

    @Override
    public StreamObserver<WriteFilesRequest> writeFiles(
            StreamObserver<WriteFilesResponse> observer) {
        var in =
                new Inlet<WriteFilesRequest>(
                        (ServerCallStreamObserver<WriteFilesResponse>) observer);
        Work.answer("write-files", observer, () -> FileCalls.write(pods, in));
        return in;
    }

    @Override
    public void podStats(PodStatsRequest request, StreamObserver<PodStatsResponse> observer) {
        Work.answer("stats", observer, () -> PodUses.answer(pods, request));
    }

    @Override
    public void podEvents(PodEventsRequest request, StreamObserver<PodEventsResponse> observer) {
        Work.stream("events", observer, out -> PodHappenings.send(pods.changes(), request, out));
    }

    @Override
    public void podProcesses(
            PodProcessesRequest request, StreamObserver<PodProcessesResponse> observer) {
        Work.answer("processes", observer, () -> PodProcesses.answer(pods, request));
    }

    @Override
    public void console(ConsoleRequest request, StreamObserver<ConsoleChunk> observer) {
        Work.stream(
                "console",
                observer,
                out ->
                        pods.console(
                                resolve(request.getPod()),
                                request.getFollow(),
                                bytes ->
                                        Streams.chunks(
                                                out,
                                                bytes,
                                                text ->
                                                        ConsoleChunk.newBuilder()
                                                                .setText(text)
                                                                .build())));
    }

    @Override
    public void listImages(ListImagesRequest request, StreamObserver<ListImagesResponse> observer) {
        Work.answer("images", observer, images::list);
    }

    @Override
    public void pullImage(PullImageRequest request, StreamObserver<ImageEvent> observer) {
        Work.stream("pull", observer, out -> images.pull(request.getReference(), out));
    }

    @Override
    public StreamObserver<LoadImageRequest> loadImage(StreamObserver<LoadImageResponse> observer) {
        var in =
                new Inlet<LoadImageRequest>((ServerCallStreamObserver<LoadImageResponse>) observer);
        Work.answer("load", observer, () -> images.load(in));
        return in;
    }

    @Override
    public void inspectImage(InspectImageRequest request, StreamObserver<ImageDetails> observer) {
        Work.answer("inspect-image", observer, () -> images.inspect(request.getImage()));
    }

    @Override
    public void tagImage(TagImageRequest request, StreamObserver<Image> observer) {
        Work.answer("tag", observer, () -> images.tag(request.getImage(), request.getName()));
    }

    @Override
    public void removeImage(RemoveImageRequest request, StreamObserver<ImageRemoval> observer) {
        Work.answer("remove-image", observer, () -> images.remove(request.getImage()));
    }

    @Override
    public void pruneImages(PruneImagesRequest request, StreamObserver<ImageRemoval> observer) {
        Work.answer("prune", observer, () -> images.prune(request.getAll()));
    }

    @Override
    public void verifyImages(VerifyImagesRequest request, StreamObserver<VerifyEvent> observer) {
        Work.stream("verify", observer, out -> images.verify(request.getImage(), out));
    }

    @Override
    public void exportImage(
            ExportImageRequest request, StreamObserver<ExportImageResponse> observer) {
        Work.stream("export", observer, out -> images.export(request, out));
    }

    @Override
    public void listTemplates(
            ListTemplatesRequest request, StreamObserver<ListTemplatesResponse> observer) {
        Work.answer("templates", observer, templates::list);
    }

    @Override
    public void buildTemplate(BuildTemplateRequest request, StreamObserver<Template> observer) {
        Work.answer("build-template", observer, () -> templates.build(request));
    }

    @Override
    public void pruneTemplates(
            PruneTemplatesRequest request, StreamObserver<PruneTemplatesResponse> observer) {
        Work.answer("prune-templates", observer, templates::prune);
    }

    private PodId resolve(String reference) throws PodException {
        return pods.resolve(reference);
    }
}
