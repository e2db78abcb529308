package podvm.engine.pod;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.Progress;
import podvm.engine.PullPolicy;
import podvm.engine.SandboxContainer;
import podvm.engine.SandboxContainer.State;
import podvm.engine.SandboxEvent;
import podvm.engine.SandboxId;
import podvm.engine.fake.FakeGuest;
import podvm.engine.fake.FakeNode;
import podvm.engine.fake.SandboxBuilder;

/** A node of fakes with a sandbox table on it. */
final class SandboxRig implements AutoCloseable {
    final FakeNode node;
    final List<SandboxEvent> events = new CopyOnWriteArrayList<>();
    SandboxTable table;

    SandboxRig(Path directory) throws Exception {
        node = new FakeNode(directory);
        pull(node);
        table = SandboxTable.open(node.ports(), Rig.SETTINGS, Rig.PATIENT);
        table.subscribe(events::add);
    }

    static void pull(FakeNode node) throws Exception {
        node.images.pull(
                "image",
                PullPolicy.IF_NOT_PRESENT,
                Progress.NONE,
                Deadline.after(Rig.SETTINGS.boot()));
    }

    /** As a daemon that is restarted while all goes on. */
    void restart() throws Exception {
        table.close();
        table = SandboxTable.open(node.ports(), Rig.SETTINGS, Rig.PATIENT);
        table.subscribe(events::add);
    }

    SandboxId run(String name) throws Exception {
        return table.run(SandboxBuilder.sandbox(name));
    }

    ContainerId create(SandboxId sandbox, String... command) throws Exception {
        return table.createContainer(sandbox, SandboxBuilder.container(command).build());
    }

    ContainerId start(SandboxId sandbox, String... command) throws Exception {
        return start(sandbox, SandboxBuilder.container(command).build());
    }

    ContainerId start(SandboxId sandbox, ContainerConfig config) throws Exception {
        var id = table.createContainer(sandbox, config);
        table.startContainer(id);
        return id;
    }

    SandboxContainer await(ContainerId container, State state) throws Exception {
        Rig.eventually(() -> table.container(container).state() == state);
        return table.container(container);
    }

    FakeGuest guest() {
        return node.machines.booted().getLast();
    }

    @Override
    public void close() {
        table.close();
    }
}
