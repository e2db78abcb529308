package podvm.engine.pod;

import java.time.Instant;
import podvm.engine.PodEvent;
import podvm.engine.PodId;

/** Tells what happens to one pod. */
record Events(PodEvent.Listener listener, PodId pod, String podName) {
    void normal(String name, String text) {
        tell(PodEvent.Severity.NORMAL, name, text);
    }

    void warning(String name, String text) {
        tell(PodEvent.Severity.WARNING, name, text);
    }

    private void tell(PodEvent.Severity severity, String name, String text) {
        listener.on(new PodEvent(Instant.now(), pod, podName, severity, name, text));
    }
}
