package podvm.daemon;

import java.io.PrintStream;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import podvm.engine.ImageEvent;
import podvm.engine.PodEvent;

/** Turns events into lines of the daemon's log. */
final class EventLog implements PodEvent.Listener, ImageEvent.Listener {
    private final PrintStream out;

    EventLog(PrintStream out) {
        this.out = out;
    }

    @Override
    public void on(PodEvent event) {
        out.printf(
                "%s %-7s pod=%s name=%s event=%s %s%n",
                event.at().truncatedTo(ChronoUnit.MILLIS),
                event.severity(),
                event.pod().brief(),
                event.podName().isEmpty() ? "-" : event.podName(),
                event.name(),
                event.text().replace('\n', '|'));
    }

    /** Of the daemon itself. */
    void warning(String name, String text) {
        out.printf(
                "%s %-7s event=%s %s%n",
                Instant.now().truncatedTo(ChronoUnit.MILLIS),
                PodEvent.Severity.WARNING,
                name,
                text.replace('\n', '|'));
    }

    @Override
    public void on(ImageEvent event) {
        out.printf(
                "%s %-7s image=%s event=%s %s%n",
                event.at().truncatedTo(ChronoUnit.MILLIS),
                event.severity(),
                event.image().replace(' ', '-'),
                event.name(),
                event.text().replace('\n', '|'));
    }
}
