package podvm.engine.pod;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Agent.ExecSession;
import podvm.engine.ContainerFiles;
import podvm.engine.Deadline;
import podvm.engine.Images;
import podvm.engine.PodChanges;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodSpec;
import podvm.engine.PodStatus;
import podvm.engine.PodUsage;
import podvm.engine.Pods;
import podvm.engine.PortConnection;
import podvm.engine.Progress;

/**
 * All pods of this node. Those about which a kubelet decides are seen as any other, and left for it
 * to end. Closing it lets go of the others.
 */
public final class NodePods implements Pods, AutoCloseable {
    private final PodTable own;
    private final Supplier<List<? extends KnownPod>> others;

    NodePods(PodTable own, Supplier<List<? extends KnownPod>> others) {
        this.own = own;
        this.others = others;
    }

    /** Those of {@code own} are to be run, stopped and removed. */
    public static NodePods of(PodTable own, SandboxTable kubelets) {
        return new NodePods(own, kubelets::known);
    }

    private List<KnownPod> all() {
        return Stream.<KnownPod>concat(own.all().stream(), others.get().stream()).toList();
    }

    private KnownPod known(PodId pod) throws PodException {
        return all().stream()
                .filter(one -> one.id().equals(pod))
                .findFirst()
                .orElseThrow(() ->
                        new PodException(
                                Kind.NOT_FOUND, "no such pod: " + pod, "podvm ps -a lists them"));
    }

    @Override
    public PodId run(PodSpec spec, Progress pulls) throws PodException {
        return own.run(spec, pulls);
    }

    @Override
    public List<PodStatus> list() {
        return all().stream()
                .map(KnownPod::status)
                .sorted(Comparator.comparing(PodStatus::created))
                .toList();
    }

    @Override
    public PodId resolve(String reference) throws PodException {
        return PodReference.find(reference, list());
    }

    @Override
    public PodStatus status(PodId pod) throws PodException {
        return known(pod).status();
    }

    @Override
    public PodStatus awaitChange(PodStatus seen, Deadline deadline)
            throws PodException, InterruptedException {
        return known(seen.id()).awaitChange(seen, deadline);
    }

    @Override
    public void stop(PodId pod, Optional<Duration> grace)
            throws PodException, InterruptedException {
        checkOwn(pod, "crictl stopp");
        own.stop(pod, grace);
    }

    @Override
    public void remove(PodId pod, boolean kill) throws PodException, InterruptedException {
        checkOwn(pod, "crictl rmp");
        own.remove(pod, kill);
    }

    private void checkOwn(PodId pod, String command) throws PodException {
        var status = status(pod);
        if (status.sandbox().isPresent()) {
            var spec = status.spec();
            throw new PodException(
                    Kind.CONFLICT,
                    "pod %s/%s is the kubelet's, which would start it again"
                            .formatted(spec.namespace(), spec.name()),
                    "kubectl delete pod -n %s %s ends it; where there is no kubelet, %s %s"
                            .formatted(spec.namespace(), spec.name(), command, pod.brief()));
        }
    }

    @Override
    public void logs(PodId pod, Optional<String> container, LogQuery query, LogReader reader)
            throws PodException, InterruptedException {
        known(pod).logs(container, query, reader);
    }

    /** One that can be spoken to, if it runs. */
    private KnownPod settled(PodId pod) throws PodException, InterruptedException {
        var known = known(pod);
        known.awaitSettled();
        return known;
    }

    @Override
    public ExecSession exec(PodId pod, Optional<String> container, ExecSpec spec, ExecOutput output)
            throws PodException, InterruptedException {
        var plan = ExecPlans.of(spec, "podvm exec POD -- COMMAND");
        var known = settled(pod);
        var attempt = known.running(container);
        return known.link().agent().exec(attempt.id(), plan, spec.stdin(), output);
    }

    @Override
    public Attachment attach(PodId pod, Optional<String> container, ExecOutput output)
            throws PodException, InterruptedException {
        var known = settled(pod);
        var attempt = known.running(container);
        return new ContainerAttachment(
                attempt.container(), attempt.id(), known.link(), attempt.ending(), output);
    }

    @Override
    public PortConnection connect(PodId pod, int port) throws PodException, InterruptedException {
        return settled(pod).link().agent().ports().connect(port);
    }

    @Override
    public void console(PodId pod, boolean follow, TextSink sink)
            throws PodException, InterruptedException {
        var known = settled(pod);
        ConsoleCopy.copy(known.status(), known.link().machine(), follow, sink);
    }

    @Override
    public Images images() {
        return own.images();
    }

    @Override
    public ContainerFiles files(PodId pod, Optional<String> container)
            throws PodException, InterruptedException {
        var known = settled(pod);
        var attempt = known.running(container);
        return known.link().agent().files(attempt.id());
    }

    @Override
    public PodUsage usage() {
        return new KnownUsage(this::known);
    }

    @Override
    public PodChanges changes() {
        return own.history();
    }

    /** True while a pod that was run here has not ended. */
    public boolean busy() {
        return own.busy();
    }

    @Override
    public void close() {
        own.close();
    }
}
