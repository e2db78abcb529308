package podvm.engine.fake;

import podvm.engine.Deadline;
import podvm.engine.MachineGrowth;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** A machine that has room for what the test says. */
public final class FakeGrowth implements MachineGrowth {
    private Room room;
    private int vcpus;
    private int moreMib;

    FakeGrowth(MachineSize booted) {
        room = new Room(booted.vcpus(), 0);
        vcpus = booted.vcpus();
    }

    public synchronized void room(int allVcpus, int memoryMib) {
        room = new Room(allVcpus, memoryMib);
    }

    /** Those that run. */
    public synchronized int vcpus() {
        return vcpus;
    }

    public synchronized int moreMib() {
        return moreMib;
    }

    @Override
    public synchronized Room room(Deadline deadline) {
        return room;
    }

    @Override
    public synchronized void memory(int mib, Deadline deadline) {
        moreMib = Math.max(moreMib, mib);
    }

    synchronized int adjust(int least, int most) throws PodException {
        if (least > room.vcpus()) {
            throw new PodException(Kind.EXHAUSTED, "no " + least + " vCPUs", "");
        }
        vcpus = Math.max(vcpus, least);
        vcpus = most == 0 ? vcpus : Math.min(vcpus, most);
        return vcpus;
    }
}
