package podvm.cri;

import java.io.IOException;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import podvm.engine.ContainerId;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.SandboxEvent;
import podvm.engine.Sandboxes;
import podvm.proto.cri.v1.ContainerEventResponse;
import podvm.proto.cri.v1.ContainerEventType;

/** Tells what happens, as it happens, until the caller leaves. */
final class ContainerEvents {
    /** More than all containers of a full node; whoever reads slower starts anew with a list. */
    private static final int MOST_WAITING = 2000;

    private final Sandboxes sandboxes;

    ContainerEvents(Sandboxes sandboxes) {
        this.sandboxes = sandboxes;
    }

    void answer(Replies<ContainerEventResponse> out)
            throws PodException, IOException, InterruptedException {
        var waiting = new ArrayBlockingQueue<SandboxEvent>(MOST_WAITING);
        var lost = new AtomicBoolean();
        SandboxEvent.Listener listener =
                event -> {
                    if (!waiting.offer(event)) {
                        lost.set(true);
                    }
                };
        try (var _ = sandboxes.subscribe(listener)) {
            while (true) {
                out.send(message(waiting.take()));
                if (lost.get()) {
                    throw new PodException(
                            Kind.EXHAUSTED,
                            "%d events were waiting for a slow reader".formatted(MOST_WAITING),
                            "list all containers, then ask for events again");
                }
            }
        }
    }

    private static ContainerEventResponse message(SandboxEvent event) {
        var message =
                ContainerEventResponse.newBuilder()
                        .setContainerId(
                                event.container()
                                        .map(ContainerId::text)
                                        .orElse(event.sandbox().id().text()))
                        .setContainerEventType(
                                switch (event.type()) {
                                    case CREATED -> ContainerEventType.CONTAINER_CREATED_EVENT;
                                    case STARTED -> ContainerEventType.CONTAINER_STARTED_EVENT;
                                    case STOPPED -> ContainerEventType.CONTAINER_STOPPED_EVENT;
                                    case DELETED -> ContainerEventType.CONTAINER_DELETED_EVENT;
                                })
                        .setCreatedAt(Times.nanos(event.at()))
                        .setPodSandboxStatus(SandboxMessages.status(event.sandbox()));
        event.containers().stream()
                .map(ContainerMessages::status)
                .forEach(message::addContainersStatuses);
        return message.build();
    }
}
