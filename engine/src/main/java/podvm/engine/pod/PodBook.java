package podvm.engine.pod;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import podvm.engine.Image;
import podvm.engine.Journals;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodRecord;
import podvm.engine.PodSpec;
import podvm.engine.PodStatus;
import podvm.engine.PodStatus.Phase;
import podvm.engine.PodStatus.Stage;

/**
 * What is known of a pod: kept here by its own thread, written into the journal and then shown to
 * everybody.
 */
final class PodBook {
    private static final int MAX_STAGES = 200;

    final PodSpec spec;
    final List<ContainerSlot> slots;
    private final Journals journals;
    private final StatusBoard<PodStatus> board;
    private final GuestLink link;
    private final Events events;
    private final List<Stage> timeline;
    private PodRecord.Stage stage;
    private String reason;
    private String message;
    private String console;
    private Optional<MachineSize> size;
    private Optional<Long> agentRss;
    private Optional<Instant> stopBy;
    private boolean stopUnsaved;
    private boolean failed;
    private boolean unsaved;

    PodBook(
            PodRecord record,
            List<ContainerSlot> slots,
            Journals journals,
            StatusBoard<PodStatus> board,
            GuestLink link,
            Events events) {
        var status = record.status();
        this.spec = status.spec();
        this.slots = slots;
        this.journals = journals;
        this.board = board;
        this.link = link;
        this.events = events;
        this.timeline = new ArrayList<>(status.timeline());
        this.stage = record.stage();
        this.reason = status.reason();
        this.message = status.message();
        this.console = status.console();
        this.size = status.size();
        this.agentRss = status.agentRssBytes();
        this.stopBy = record.stopBy();
        this.failed = !status.reason().isEmpty();
    }

    PodRecord.Stage stage() {
        return stage;
    }

    String message() {
        return message;
    }

    MachineSize size() {
        return size.orElseThrow();
    }

    /** Nothing but the end of the pod is left to do. */
    boolean failed() {
        return failed;
    }

    /** The newest state is not in the journal, which is to be tried again. */
    boolean unsaved() {
        return unsaved;
    }

    boolean measured() {
        return agentRss.isPresent();
    }

    /** Present: the pod is being stopped, and its containers have until then. */
    Optional<Instant> stopBy() {
        return stopBy;
    }

    void reached(String name) {
        // also said by threads that work for this pod
        synchronized (timeline) {
            if (timeline.size() < MAX_STAGES) {
                timeline.add(new Stage(name, Instant.now()));
            }
        }
    }

    void fail(String why, String text) {
        failed = true;
        reason = why;
        message = text;
        events.warning(why, text);
    }

    void console(String text) {
        console = ConsoleTail.clean(text);
    }

    void agentRss(long bytes) {
        agentRss = Optional.of(bytes);
    }

    /** From the next publication on a machine may be there. */
    void starting(MachineSize machine) {
        size = Optional.of(machine);
        stage = PodRecord.Stage.STARTED;
    }

    void stopping(Instant until) {
        stopBy = Optional.of(until);
        stopUnsaved = true;
    }

    void ended() {
        stage = PodRecord.Stage.ENDED;
        reached("ended");
    }

    void publish() throws PodException {
        var status = now();
        if (unsaved || stopUnsaved || !status.equals(board.status())) {
            journals.write(new PodRecord(stage, status, images(), stopBy));
            unsaved = false;
            stopUnsaved = false;
            board.publish(status);
        }
    }

    /** What has happened has happened: a journal that cannot be written now is written later. */
    void publishLeniently() {
        try {
            publish();
        } catch (PodException e) {
            if (!unsaved) {
                events.warning("JournalFailed", e.describe());
            }
            unsaved = true;
            board.publish(now());
        }
    }

    List<Image> images() {
        var images = slots.stream().map(slot -> Optional.ofNullable(slot.image)).toList();
        return images.stream().allMatch(Optional::isPresent)
                ? images.stream().map(Optional::get).toList()
                : List.of();
    }

    private PodStatus now() {
        var before = board.status();
        synchronized (timeline) {
            return new PodStatus(
                    before.id(),
                    spec,
                    phase(),
                    reason,
                    message,
                    console,
                    before.created(),
                    stage == PodRecord.Stage.ENDED ? Optional.of(Instant.now()) : Optional.empty(),
                    link.sandbox().map(Sandbox::ips).orElse(before.ips()),
                    size,
                    agentRss,
                    slots.stream().map(ContainerSlot::status).toList(),
                    List.copyOf(timeline),
                    Optional.empty());
        }
    }

    private Phase phase() {
        if (stage == PodRecord.Stage.ENDED) {
            return !failed && slots.stream().allMatch(ContainerSlot::succeeded)
                    ? Phase.SUCCEEDED
                    : Phase.FAILED;
        }
        boolean initialised =
                slots.stream().filter(slot -> slot.init).allMatch(ContainerSlot::succeeded);
        boolean begun =
                slots.stream()
                        .filter(slot -> !slot.init)
                        .anyMatch(slot -> !slot.waiting() || slot.restarts > 0);
        return initialised && begun ? Phase.RUNNING : Phase.PENDING;
    }
}
