package podvm.engine.fake;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import podvm.engine.PodEvent;
import podvm.engine.pod.PodHistory;
import podvm.engine.pod.Ports;

/** One of each fake, as a node has them. It outlives the daemons that work on it. */
public final class FakeNode {
    public final FakePrograms programs = new FakePrograms();
    public final FakeImages images = new FakeImages();
    public final FakeMachines machines;
    public final FakeAgents agents;
    public final FakeNetworks networks = new FakeNetworks();
    public final FakeVolumes volumes = new FakeVolumes();
    public final FakeShares shares = new FakeShares();
    public final FakeJournals journals;
    public final FakeSandboxJournals sandboxJournals = new FakeSandboxJournals();
    public final List<PodEvent> events = new CopyOnWriteArrayList<>();

    private final PodHistory history = new PodHistory();

    public FakeNode(Path directory) {
        machines = new FakeMachines(programs, directory);
        agents = new FakeAgents(machines);
        journals = new FakeJournals(directory.resolve("pods"));
    }

    public Ports ports() {
        return new Ports(
                images,
                machines,
                agents,
                networks,
                volumes,
                shares,
                journals,
                sandboxJournals,
                events::add,
                history);
    }

    /** What pods have on this node; empty when nothing is left behind. */
    public List<String> open() {
        var result = new ArrayList<String>();
        machines.open().forEach(pod -> result.add("machine " + pod));
        networks.open().forEach(pod -> result.add("network " + pod));
        volumes.open().forEach(pod -> result.add("disk " + pod));
        shares.open().forEach(share -> result.add("share " + share));
        for (var guest : machines.booted()) {
            if (guest.connections() > 0) {
                result.add("connections to " + guest.spec().pod());
            }
        }
        return result;
    }
}
