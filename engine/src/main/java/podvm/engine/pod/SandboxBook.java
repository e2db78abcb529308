package podvm.engine.pod;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import podvm.engine.ContainerId;
import podvm.engine.PodException;
import podvm.engine.SandboxBounds;
import podvm.engine.SandboxEvent;
import podvm.engine.SandboxJournals;
import podvm.engine.SandboxRecord;

/**
 * What is known of a pod sandbox: kept here by its own thread, written into the journal, shown to
 * everybody, and what happened is told to who listens.
 */
final class SandboxBook {
    private final List<SandboxSlot> slots;
    private final SandboxShares shares;
    private final SandboxJournals journals;
    private final StatusBoard<SandboxRecord> board;
    private final Events events;
    private final SandboxEvent.Listener listener;
    private final List<Happening> untold = new ArrayList<>();
    private SandboxRecord.Stage stage;
    private List<String> ips;
    private String reason;
    private String message;
    private SandboxBounds bounds;
    private boolean unsaved;

    private record Happening(Instant at, SandboxEvent.Type type, Optional<ContainerId> container) {}

    SandboxBook(
            List<SandboxSlot> slots,
            SandboxShares shares,
            SandboxJournals journals,
            StatusBoard<SandboxRecord> board,
            Events events,
            SandboxEvent.Listener listener) {
        this.slots = slots;
        this.shares = shares;
        this.journals = journals;
        this.board = board;
        this.events = events;
        this.listener = listener;
        var record = board.status();
        this.stage = record.stage();
        this.ips = record.ips();
        this.reason = record.reason();
        this.message = record.message();
        this.bounds = record.bounds();
    }

    SandboxRecord.Stage stage() {
        return stage;
    }

    String message() {
        return message;
    }

    /** It is to be ended, or has been. */
    boolean failed() {
        return !reason.isEmpty();
    }

    boolean unsaved() {
        return unsaved;
    }

    void started(List<String> addresses) {
        stage = SandboxRecord.Stage.STARTED;
        ips = addresses;
        happened(SandboxEvent.Type.CREATED, Optional.empty());
        happened(SandboxEvent.Type.STARTED, Optional.empty());
    }

    SandboxBounds bounds() {
        return bounds;
    }

    void bound(SandboxBounds now) {
        bounds = now;
    }

    /** Of memory, beside the containers. */
    long overheadBytes() {
        return bounds.overheadBytes().orElse(board.status().spec().limits().overheadBytes());
    }

    /** The first reason counts. */
    void fail(String why, String text) {
        if (!failed()) {
            reason = why;
            message = text;
            if (!text.isEmpty()) {
                events.warning(why, text);
            }
        }
    }

    void ended() {
        stage = SandboxRecord.Stage.ENDED;
        happened(SandboxEvent.Type.STOPPED, Optional.empty());
    }

    /** Told when it can be seen. */
    void happened(SandboxEvent.Type type, Optional<ContainerId> container) {
        untold.add(new Happening(Instant.now(), type, container));
    }

    void publish() throws PodException {
        var record = now();
        if (unsaved || !record.equals(board.status())) {
            journals.write(record);
            unsaved = false;
        }
        show(record);
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
            show(now());
        }
    }

    /** The last that is told, when the journal has forgotten it already. */
    void farewell() {
        show(now());
    }

    private void show(SandboxRecord record) {
        board.publish(record);
        for (var one : untold) {
            listener.on(
                    new SandboxEvent(
                            one.at(),
                            one.type(),
                            one.container(),
                            record.status(),
                            record.realContainers()));
        }
        untold.clear();
    }

    private SandboxRecord now() {
        var before = board.status();
        return new SandboxRecord(
                before.id(),
                before.spec(),
                stage,
                before.created(),
                before.size(),
                ips,
                reason,
                message,
                slots.stream().map(SandboxSlot::held).toList(),
                shares.held(),
                bounds);
    }
}
