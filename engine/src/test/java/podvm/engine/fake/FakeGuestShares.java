package podvm.engine.fake;

import podvm.engine.Deadline;
import podvm.engine.GuestShares;

/** Knows which shares are mounted; a fake guest asks nothing of them. */
final class FakeGuestShares implements GuestShares {
    private final FakeGuest guest;

    FakeGuestShares(FakeGuest guest) {
        this.guest = guest;
    }

    @Override
    public void mount(String name, Root root, Access access, Deadline deadline) {
        synchronized (guest) {
            guest.shares.add(name);
        }
    }

    @Override
    public void serve(String name, Server server) throws InterruptedException {
        synchronized (guest) {
            while (guest.shares.contains(name)) {
                guest.wait();
            }
        }
    }

    @Override
    public void end(String name, Deadline deadline) {
        synchronized (guest) {
            guest.shares.remove(name);
            guest.notifyAll();
        }
    }
}
