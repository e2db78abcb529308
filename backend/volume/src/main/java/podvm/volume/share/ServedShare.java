package podvm.volume.share;

import podvm.engine.Agent;
import podvm.engine.Deadline;
import podvm.engine.GuestShares.Root;
import podvm.engine.PodException;
import podvm.engine.Shares.HostShare;
import podvm.engine.Shares.ShareSpec;

/** One share, over whatever connections its pod has. */
final class ServedShare implements HostShare {
    private final ShareSpec spec;
    private final boolean directory;
    private final ShareServer server;

    /** Takes over the server. */
    ServedShare(ShareSpec spec, boolean directory, ShareServer server) {
        this.spec = spec;
        this.directory = directory;
        this.server = server;
    }

    @Override
    public ShareSpec spec() {
        return spec;
    }

    ShareServer server() {
        return server;
    }

    @Override
    public void mount(Agent agent, Deadline deadline) throws PodException, InterruptedException {
        var root = directory ? Root.DIRECTORY : Root.FILE;
        agent.shares().mount(spec.name(), root, spec.access(), deadline);
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
