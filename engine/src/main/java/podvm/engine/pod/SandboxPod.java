package podvm.engine.pod;

import java.util.List;
import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodStatus;
import podvm.engine.Pods.LogQuery;
import podvm.engine.Pods.LogReader;
import podvm.engine.SandboxContainer;
import podvm.engine.SandboxContainer.State;
import podvm.engine.log.FileLogs;
import podvm.engine.log.FileLogs.LogFile;

/** A pod sandbox as a pod among others. */
record SandboxPod(SandboxLife life) implements KnownPod {
    @Override
    public PodId id() {
        return life.record().id().pod();
    }

    @Override
    public PodStatus status() {
        return SandboxPodStatus.of(life.record());
    }

    @Override
    public PodStatus awaitChange(PodStatus seen, Deadline deadline)
            throws PodException, InterruptedException {
        for (var record = life.record(); ; record = life.board().awaitChange(record, deadline)) {
            var now = SandboxPodStatus.of(record);
            if (!now.equals(seen)) {
                return now;
            }
        }
    }

    @Override
    public void awaitSettled() throws InterruptedException {
        life.awaitSettled();
    }

    @Override
    public GuestLink link() {
        return life.link();
    }

    @Override
    public Meter meter() {
        return life.meter();
    }

    /** Empty name: the first that runs, since nobody says which ones are init containers. */
    @Override
    public Attempt running(Optional<String> name) throws PodException {
        var newest = SandboxPodStatus.newest(life.record());
        var running = newest.stream().filter(one -> one.state() == State.RUNNING).toList();
        var wanted =
                name.or(() -> running.stream().findFirst().map(SandboxPod::name))
                        .orElseThrow(() ->
                                new PodException(
                                        Kind.CONFLICT,
                                        "no container of pod " + podName() + " is running",
                                        "podvm inspect " + podName() + " shows its state"));
        checkPresent(newest, wanted);
        var found = running.stream().filter(one -> name(one).equals(wanted)).findFirst();
        var id = found.map(SandboxContainer::id);
        var slot = id.flatMap(life::slot);
        if (id.isEmpty() || slot.isEmpty()) {
            throw KnownPod.notRunning(wanted, podName());
        }
        return new Attempt(slot.get(), id.get(), () -> SandboxTable.exitCode(life, id.get()));
    }

    private void checkPresent(List<SandboxContainer> newest, String wanted) throws PodException {
        var names = newest.stream().map(SandboxPod::name).toList();
        if (!names.contains(wanted)) {
            throw KnownPod.noContainer(wanted, podName(), names);
        }
    }

    private static String name(SandboxContainer container) {
        return container.config().metadata().name();
    }

    private String podName() {
        return life.record().spec().metadata().name();
    }

    @Override
    public void logs(Optional<String> container, LogQuery query, LogReader reader)
            throws PodException, InterruptedException {
        if (container.isPresent()) {
            checkPresent(SandboxPodStatus.newest(life.record()), container.get());
        }
        FileLogs.read(() -> logFiles(container), query, reader);
    }

    /** Of all attempts that were not removed. */
    private FileLogs.Present logFiles(Optional<String> container) {
        var record = life.record();
        var files =
                record.realContainers().stream()
                        .filter(one -> container.isEmpty() || container.get().equals(name(one)))
                        .flatMap(one -> logFile(one).stream())
                        .toList();
        return new FileLogs.Present(files, SandboxPodStatus.of(record).phase().ended());
    }

    private static Optional<LogFile> logFile(SandboxContainer container) {
        return container.config().logFile().map(path -> new LogFile(name(container), path));
    }
}
