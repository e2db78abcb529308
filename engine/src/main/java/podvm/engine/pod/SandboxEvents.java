package podvm.engine.pod;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import podvm.engine.SandboxEvent;

/** Tells everybody who listens what happens to the sandboxes of this node. */
final class SandboxEvents implements SandboxEvent.Listener {
    private final List<SandboxEvent.Listener> listeners = new CopyOnWriteArrayList<>();

    SandboxEvent.Subscription subscribe(SandboxEvent.Listener listener) {
        listeners.add(listener);
        return () -> listeners.remove(listener);
    }

    @Override
    public void on(SandboxEvent event) {
        listeners.forEach(listener -> listener.on(event));
    }
}
