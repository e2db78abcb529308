package podvm.engine.fake;

import podvm.engine.Agent;
import podvm.engine.Agents;
import podvm.engine.Deadline;
import podvm.engine.GuestAddress;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** Connects to the guests of {@link FakeMachines}. */
public final class FakeAgents implements Agents {
    private final FakeMachines machines;

    public FakeAgents(FakeMachines machines) {
        this.machines = machines;
    }

    @Override
    public Agent connect(GuestAddress address, Deadline deadline)
            throws PodException, InterruptedException {
        var guest =
                machines.at(address)
                        .orElseThrow(
                                () -> new PodException(Kind.MACHINE, "nothing at " + address, ""));
        synchronized (guest) {
            while (!guest.answering()) {
                deadline.check("the agent at " + address);
                guest.wait(Math.max(1, deadline.leftMillis()));
            }
            return new FakeAgent(guest);
        }
    }
}
