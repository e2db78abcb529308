package podvm.engine.fake;

import podvm.engine.Deadline;
import podvm.engine.GuestSockets;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** Sockets to which nobody connects; they end as shares do. */
record FakeGuestSockets(FakeGuest guest, FakeAgent agent) implements GuestSockets {
    private void check() throws PodException {
        if (!guest.connected(agent)) {
            throw new PodException(Kind.MACHINE, "the connection to the agent is lost", "");
        }
    }

    @Override
    public void open(String name, Owner owner, Deadline deadline) throws PodException {
        synchronized (guest) {
            check();
            guest.shares.add(name);
        }
    }

    @Override
    public Caller accept(String name) throws PodException, InterruptedException {
        synchronized (guest) {
            while (guest.shares.contains(name)) {
                check();
                guest.wait();
            }
            throw new PodException(Kind.NOT_FOUND, "no socket " + name, "");
        }
    }
}
