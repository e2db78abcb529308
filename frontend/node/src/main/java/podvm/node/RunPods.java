package podvm.node;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import podvm.engine.ContainerSpec;
import podvm.engine.Deadline;
import podvm.engine.NetworkChoice;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.PodSpec;
import podvm.engine.PodStatus;
import podvm.engine.Pods;
import podvm.node.manifest.Manifest;
import podvm.proto.node.v1.PodCreated;
import podvm.proto.node.v1.RunPodsEvent;
import podvm.proto.node.v1.RunPodsRequest;

/** Starts the pods of a manifest and tells how they get on until each runs or has ended. */
final class RunPods implements Work.Body<RunPodsEvent> {
    private static final Duration LONG = Duration.ofHours(1);

    private final Pods pods;
    private final RunPodsRequest request;

    RunPods(Pods pods, RunPodsRequest request) {
        this.pods = pods;
        this.request = request;
    }

    @Override
    public void run(Outlet<RunPodsEvent> out)
            throws PodException, InterruptedException, IOException {
        var specs = Manifest.parse(request.getManifest().toByteArray(), request.getSource());
        var started = start(specs, out);
        var followers = new ArrayList<Thread>();
        for (var id : started) {
            followers.add(Thread.ofVirtual().name("follow-" + id).start(() -> follow(id, out)));
        }
        try {
            for (var follower : followers) {
                follower.join();
            }
        } finally {
            followers.forEach(Thread::interrupt);
        }
    }

    /** All of them or none. */
    private List<PodId> start(List<PodSpec> specs, Outlet<RunPodsEvent> out)
            throws PodException, InterruptedException, IOException {
        var progress =
                new ProgressEvents<>(
                        out, step -> RunPodsEvent.newBuilder().setProgress(step).build());
        var started = new ArrayList<PodId>();
        try {
            for (var spec : specs) {
                started.add(pods.run(connected(spec), progress));
            }
        } catch (PodException e) {
            for (var id : started.reversed()) {
                pods.remove(id, true);
            }
            throw e;
        }
        for (var i = 0; i < specs.size(); i++) {
            out.send(created(started.get(i), specs.get(i)));
        }
        return started;
    }

    private PodSpec connected(PodSpec spec) {
        return request.getNetwork().isEmpty()
                ? spec
                : spec.on(new NetworkChoice.Named(request.getNetwork()));
    }

    private static RunPodsEvent created(PodId id, PodSpec spec) {
        var containers =
                Stream.concat(spec.initContainers().stream(), spec.containers().stream())
                        .map(ContainerSpec::name)
                        .toList();
        return RunPodsEvent.newBuilder()
                .setCreated(
                        PodCreated.newBuilder()
                                .setId(id.text())
                                .setNamespace(spec.namespace())
                                .setName(spec.name())
                                .addAllContainers(containers))
                .build();
    }

    private void follow(PodId id, Outlet<RunPodsEvent> out) {
        try {
            var status = pods.status(id);
            out.send(changed(status));
            while (status.phase() == PodStatus.Phase.PENDING) {
                status = awaitChange(pods, status);
                out.send(changed(status));
            }
        } catch (PodException e) {
            // it was removed meanwhile, which another command has told its user
            out.offer(RunPodsEvent::getDefaultInstance);
        } catch (InterruptedException | IOException _) {
            // the client has gone; its pods stay
            Thread.currentThread().interrupt();
        }
    }

    /** Waits however long it takes. */
    static PodStatus awaitChange(Pods pods, PodStatus seen)
            throws PodException, InterruptedException {
        while (true) {
            try {
                return pods.awaitChange(seen, Deadline.after(LONG));
            } catch (PodException e) {
                if (e.kind() != PodException.Kind.DEADLINE) {
                    throw e;
                }
            }
        }
    }

    private static RunPodsEvent changed(PodStatus status) {
        return RunPodsEvent.newBuilder().setPod(PodMessages.pod(status)).build();
    }
}
