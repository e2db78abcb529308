package podvm.volume.share;

import java.io.IOException;
import java.util.concurrent.Executor;
import podvm.engine.Agent;
import podvm.engine.Deadline;
import podvm.engine.GuestShares.Access;
import podvm.engine.GuestShares.Root;
import podvm.engine.PodException;
import podvm.engine.Shares.HostShare;
import podvm.engine.Shares.Mounts;
import podvm.engine.Shares.ShareSpec;
import podvm.engine.Shares.Writable;
import podvm.linux.ErrnoException;
import podvm.linux.Place;

/** One share, over whatever connections its pod has. */
final class ServedShare implements HostShare {
    private final ShareSpec spec;
    private final Node.Identity root;
    private final boolean directory;
    private final ShareServer server;
    private final Executor workers;

    /** Takes over the server. */
    ServedShare(
            ShareSpec spec,
            Node.Identity root,
            boolean directory,
            ShareServer server,
            Executor workers) {
        this.spec = spec;
        this.root = root;
        this.directory = directory;
        this.server = server;
        this.workers = workers;
    }

    @Override
    public ShareSpec spec() {
        return spec;
    }

    /** Mounts are few, and comparing them is more work than opening once more. */
    @Override
    public boolean current() throws InterruptedException {
        try {
            return Patience.with(spec.tree().root(), workers, this::unchanged);
        } catch (PodException e) {
            return false;
        }
    }

    private boolean unchanged() {
        var tree = spec.tree();
        try (var now = Place.at(tree.root())) {
            return Node.Identity.of(now.stat()).equals(root)
                    && (tree.mounts() == Mounts.LIVE || !HostMounts.below(tree.root()));
        } catch (ErrnoException | IOException e) {
            return false;
        }
    }

    ShareServer server() {
        return server;
    }

    @Override
    public void mount(Agent agent, Deadline deadline) throws PodException, InterruptedException {
        var kind = directory ? Root.DIRECTORY : Root.FILE;
        var access =
                spec.tree().writable() == Writable.NOTHING ? Access.READ_ONLY : Access.READ_WRITE;
        agent.shares().mount(spec.name(), kind, access, deadline);
    }

    @Override
    public void answer(Agent agent) throws PodException, InterruptedException {
        agent.shares().serve(spec.name(), server);
    }

    @Override
    public void close() {
        server.close();
    }
}
