package podvm.engine.fake;

import java.util.List;
import java.util.Map;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.GuestProcess;
import podvm.engine.GuestResources;
import podvm.engine.GuestStats;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** The resources of a fake guest, over one connection. */
record FakeGuestResources(FakeGuest guest, Check connection) implements GuestResources {
    interface Check {
        void check() throws PodException;
    }

    @Override
    public GuestStats stats(Detail detail, Deadline deadline) throws PodException {
        synchronized (guest) {
            connection.check();
            return guest.meters.stats(guest.containers.keySet());
        }
    }

    @Override
    public List<GuestProcess> processes(Deadline deadline) throws PodException {
        synchronized (guest) {
            connection.check();
            return guest.containers.keySet().stream()
                    .map(id -> new GuestProcess(id, 1, 0, 0, "S", 10, 4096, "server"))
                    .toList();
        }
    }

    @Override
    public void update(ContainerId container, Change change, Deadline deadline)
            throws PodException {
        synchronized (guest) {
            connection.check();
            if (!guest.containers.containsKey(container)) {
                throw new PodException(Kind.NOT_FOUND, "no container " + container, "");
            }
            refuse(change.settings());
            guest.meters.change(change);
        }
    }

    @Override
    public void updatePod(List<Setting> settings, Deadline deadline) throws PodException {
        synchronized (guest) {
            connection.check();
            refuse(settings);
            guest.meters.changePod(settings);
        }
    }

    @Override
    public int adjustVcpus(int least, int most, Deadline deadline) throws PodException {
        synchronized (guest) {
            connection.check();
            return guest.growth.adjust(least, most);
        }
    }

    @Override
    public void hugepages(Map<String, Long> bytes, Deadline deadline) throws PodException {
        synchronized (guest) {
            connection.check();
            guest.hugepages(bytes);
        }
    }

    private void refuse(List<Setting> settings) throws PodException {
        for (var setting : settings) {
            if (guest.meters.refuses(setting.file())) {
                throw new PodException(Kind.INVALID, "cannot set " + setting.file(), "");
            }
        }
    }
}
