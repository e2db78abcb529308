package podvm.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import podvm.proto.node.v1.LogsRequest;
import podvm.proto.node.v1.Pod;
import podvm.proto.node.v1.PodCreated;
import podvm.proto.node.v1.RemovePodRequest;
import podvm.proto.node.v1.RemovePodResponse;
import podvm.proto.node.v1.RunPodsEvent;
import podvm.proto.node.v1.StopPodRequest;
import podvm.proto.node.v1.StopPodResponse;
import podvm.proto.node.v1.WaitPodRequest;

/** The pods of one podvm run, until they have ended. */
final class RunningPods implements AutoCloseable {
    private static final int INTERRUPTED = 130;

    private final Session session;
    private final boolean prefixes;
    private final TransferLine progress;
    private final LinePrinter printer;
    private final List<PodCreated> pods = new ArrayList<>();
    private final List<Thread> readers = new ArrayList<>();
    private final AtomicInteger interrupts = new AtomicInteger();
    private final AtomicReference<IOException> brokenOutput = new AtomicReference<>();
    private final Interrupts.Handler handler;

    RunningPods(Session session, boolean prefixes, TransferLine progress) {
        this.session = session;
        this.prefixes = prefixes;
        this.progress = progress;
        this.printer = new LinePrinter(session.stdio(), false);
        this.handler = Interrupts.on("INT", this::interrupted);
    }

    /** Reads until every pod runs or has ended. */
    void follow(Exchange<RunPodsEvent> events) throws Failure {
        var reading = false;
        for (var event = events.next(); event.isPresent(); event = events.next()) {
            switch (event.get().getEventCase()) {
                case CREATED -> add(event.get().getCreated());
                case PROGRESS -> progress.at(event.get().getProgress());
                case POD -> {
                    // all are created by now, and so the names' width is known
                    if (!reading) {
                        readAll();
                        reading = true;
                    }
                    if (!event.get().getPod().getPhase().equals("Pending")) {
                        progress.clear();
                    }
                }
                case EVENT_NOT_SET -> {}
            }
        }
        if (!reading) {
            readAll();
        }
    }

    private synchronized void add(PodCreated pod) {
        pods.add(pod);
    }

    private synchronized List<PodCreated> pods() {
        return List.copyOf(pods);
    }

    private void readAll() {
        var created = pods();
        var containers = created.stream().mapToInt(PodCreated::getContainersCount).sum();
        if (prefixes && containers > 1) {
            for (var pod : created) {
                pod.getContainersList().forEach(name -> printer.prefix(source(pod, name)));
            }
        }
        for (var pod : created) {
            readers.add(Thread.ofVirtual().name("logs-" + pod.getId()).start(() -> read(pod)));
        }
    }

    private String source(PodCreated pod, String container) {
        return pods().size() > 1 ? pod.getName() + "/" + container : container;
    }

    private void read(PodCreated pod) {
        var request =
                LogsRequest.newBuilder().setPod(pod.getId()).setFollow(true).setHold(true).build();
        try {
            LogStream.copy(
                    session.node(),
                    request,
                    session.stdio(),
                    printer,
                    line -> {
                        progress.clear();
                        return source(pod, line.getContainer());
                    });
        } catch (Failure e) {
            session.stdio().tell(e.text());
        } catch (IOException e) {
            brokenOutput.set(e);
        }
    }

    /** The first exit code in manifest order that is not 0. */
    int await(boolean remove) throws Failure, IOException, InterruptedException {
        var code = 0;
        for (var pod : pods()) {
            var request = WaitPodRequest.newBuilder().setPod(pod.getId()).build();
            var ended = session.node().ask("WaitPod", request, Pod.parser());
            code = code == 0 ? ended.getExitCode() : code;
            Endings.tell(ended, session.stdio());
        }
        for (var reader : readers) {
            reader.join();
        }
        progress.clear();
        printer.finish();
        if (remove) {
            for (var pod : pods()) {
                var request = RemovePodRequest.newBuilder().setPod(pod.getId()).build();
                session.node().ask("RemovePod", request, RemovePodResponse.parser());
            }
        }
        var broken = brokenOutput.get();
        if (broken != null) {
            throw broken;
        }
        return interrupts.get() > 0 ? INTERRUPTED : code;
    }

    /** The first Ctrl-C stops the pods as they wish, the second at once, the third only us. */
    private void interrupted() {
        var count = interrupts.incrementAndGet();
        if (count > 2 || pods().isEmpty()) {
            Runtime.getRuntime().halt(INTERRUPTED);
        }
        if (count == 1) {
            session.stdio().tell("podvm: stopping; Ctrl-C again kills");
        }
        for (var pod : pods()) {
            Thread.ofVirtual().start(() -> stop(pod, count == 1));
        }
    }

    private void stop(PodCreated pod, boolean gracefully) {
        var request = StopPodRequest.newBuilder().setPod(pod.getId());
        if (!gracefully) {
            request.setGraceSeconds(0);
        }
        try {
            session.node().ask("StopPod", request.build(), StopPodResponse.parser());
        } catch (Failure e) {
            session.stdio().tell(e.text());
        }
    }

    @Override
    public void close() {
        handler.close();
    }
}
