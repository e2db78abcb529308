package podvm.engine.pod;

import podvm.engine.Agents;
import podvm.engine.Images;
import podvm.engine.Journals;
import podvm.engine.Machines;
import podvm.engine.Networks;
import podvm.engine.PodEvent;
import podvm.engine.SandboxJournals;
import podvm.engine.Shares;
import podvm.engine.Volumes;

/** Everything a pod's life asks others to do. */
public record Ports(
        Images images,
        Machines machines,
        Agents agents,
        Networks networks,
        Volumes volumes,
        Shares shares,
        Journals journals,
        SandboxJournals sandboxJournals,
        PodEvent.Listener events,
        PodHistory history) {}
