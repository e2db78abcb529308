package podvm.engine.fake;

import podvm.engine.Deadline;
import podvm.engine.GuestShares;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** Knows which shares are mounted and served; a fake guest asks nothing of them. */
final class FakeGuestShares implements GuestShares {
    private final FakeGuest guest;
    private final FakeAgent agent;

    FakeGuestShares(FakeGuest guest, FakeAgent agent) {
        this.guest = guest;
        this.agent = agent;
    }

    private void check() throws PodException {
        if (!guest.connected(agent)) {
            throw new PodException(Kind.MACHINE, "the connection to the agent is lost", "");
        }
    }

    @Override
    public void mount(String name, Root root, Access access, Deadline deadline)
            throws PodException {
        synchronized (guest) {
            check();
            guest.shares.add(name);
        }
    }

    @Override
    public void serve(String name, Server server) throws PodException, InterruptedException {
        synchronized (guest) {
            if (!guest.shares.contains(name)) {
                throw new PodException(Kind.NOT_FOUND, "no share " + name, "");
            }
            guest.served.add(name);
            guest.notifyAll();
            try {
                while (guest.shares.contains(name)) {
                    check();
                    guest.wait();
                }
            } finally {
                guest.served.remove(name);
            }
        }
    }

    @Override
    public void end(String name, Deadline deadline) throws PodException {
        synchronized (guest) {
            check();
            guest.shares.remove(name);
            guest.notifyAll();
        }
    }
}
