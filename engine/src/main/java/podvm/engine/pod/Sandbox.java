package podvm.engine.pod;

import java.util.List;
import podvm.engine.Agent;
import podvm.engine.Machine;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodNetwork;
import podvm.engine.Rollback;

/** A running machine with what belongs to it. Closing it releases all of it, newest first. */
record Sandbox(Machine machine, PodNetwork network, MachineSize size, Agent agent, Rollback owned)
        implements AutoCloseable {
    List<String> ips() {
        return network.ips();
    }

    @Override
    public void close() throws PodException {
        owned.close();
    }
}
