package podvm.engine.pod;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import podvm.engine.Agent;
import podvm.engine.Agent.SandboxSetup;
import podvm.engine.Deadline;
import podvm.engine.Disk;
import podvm.engine.Forks;
import podvm.engine.Image;
import podvm.engine.Machine;
import podvm.engine.MachineSize;
import podvm.engine.MachineSpec;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodNetwork;
import podvm.engine.PodSpec;
import podvm.engine.Rollback;
import podvm.engine.VolumeSpec;

/** Makes a pod's machine and all that belongs to it, or finds what an earlier daemon made. */
final class SandboxStart {
    private static final Duration ADOPTION = Duration.ofSeconds(30);
    private static final Duration CALL = Duration.ofSeconds(30);
    private static final long SHM_BYTES = 64L << 20;

    private final PodId id;
    private final PodSpec pod;
    private final Ports ports;
    private final EngineSettings settings;
    private final Consumer<String> reached;

    /**
     * @param reached hears the name of each stage
     */
    SandboxStart(
            PodId id, PodSpec pod, Ports ports, EngineSettings settings, Consumer<String> reached) {
        this.id = id;
        this.pod = pod;
        this.ports = ports;
        this.settings = settings;
        this.reached = reached;
    }

    /**
     * @param images all that the pod's containers run from: their disks are there when the machine
     *     starts
     * @param beforeContainers done while the guest boots
     */
    Sandbox boot(MachineSize size, List<Image> images, Step beforeContainers)
            throws PodException, InterruptedException {
        var deadline = Deadline.after(settings.boot());
        try (var undo = new Rollback()) {
            var scratch = undo.add(ports.volumes().scratch(id, settings.scratchBytes()));
            var network = undo.add(ports.networks().attach(id, deadline));
            reached.accept("network.ready");
            var disks = new LinkedHashMap<String, Disk>();
            disks.put(scratch.disk().serial(), scratch.disk());
            for (var image : images) {
                image.layers()
                        .forEach(layer -> disks.putIfAbsent(layer.disk().serial(), layer.disk()));
            }
            var machine =
                    undo.add(
                            ports.machines()
                                    .boot(
                                            new MachineSpec(
                                                    id,
                                                    size,
                                                    List.copyOf(disks.values()),
                                                    network.nics()),
                                            deadline));
            reached.accept("machine.started");
            var agent = undo.add(awaitAgent(machine, deadline, beforeContainers));
            reached.accept("agent.connected");
            configure(agent, network, scratch.disk().serial());
            reached.accept("sandbox.configured");
            return new Sandbox(machine, network, size, agent, undo.keep());
        }
    }

    /**
     * Empty where there is nothing to adopt: the machine is gone, or was never configured. What is
     * left of it is removed then.
     */
    Optional<Sandbox> adopt(MachineSize size) throws PodException, InterruptedException {
        var found = ports.machines().find(id);
        if (found.isPresent()) {
            try (var undo = new Rollback()) {
                undo.add(ports.volumes().find(id));
                var network = undo.add(ports.networks().find(id));
                var machine = undo.add(found.get());
                try {
                    var agent = undo.add(awaitAgent(machine, Deadline.after(ADOPTION), () -> {}));
                    if (agent.info().configured()) {
                        reached.accept("adopted");
                        return Optional.of(new Sandbox(machine, network, size, agent, undo.keep()));
                    }
                } catch (InterruptedException e) {
                    // this daemon ends as well: the machine is the next one's to adopt
                    var _ = undo.keep();
                    throw e;
                }
            }
        }
        sweep();
        return Optional.empty();
    }

    /** Removes all host objects of the pod, known or not. */
    void sweep() throws PodException {
        ports.machines().destroy(id);
        ports.networks().destroy(id);
        ports.volumes().destroy(id);
    }

    /** The agent, or the reason why the machine ended before it answered. */
    private Agent awaitAgent(Machine machine, Deadline deadline, Step meanwhile)
            throws PodException, InterruptedException {
        try (var forks = new Forks("boot-" + id.brief())) {
            var agent = forks.fork(() -> ports.agents().connect(machine.guest(), deadline));
            // not among the forks that are joined: it ends only when the machine does
            var death =
                    Thread.ofVirtual()
                            .name("death-" + id.brief())
                            .start(() -> cancelWhenDead(machine, agent));
            try {
                meanwhile.run();
                forks.join(deadline);
                return agent.resultNow();
            } catch (PodException e) {
                throw explain(machine, e);
            } catch (CancellationException e) {
                throw explain(machine, new PodException(Kind.MACHINE, "the machine ended", "", e));
            } finally {
                death.interrupt();
            }
        }
    }

    private static void cancelWhenDead(Machine machine, Future<Agent> agent) {
        try {
            var _ = machine.awaitEnd();
            agent.cancel(true);
        } catch (InterruptedException e) {
            // the agent answered, or nobody waits any more
        }
    }

    private PodException explain(Machine machine, PodException cause) throws InterruptedException {
        if (!machine.alive()) {
            var end = machine.awaitEnd();
            return new PodException(
                    Kind.MACHINE,
                    "the machine of pod "
                            + pod.name()
                            + " ended while it booted: "
                            + end.detail()
                            + ConsoleTail.quote(end.console()),
                    cause.remedy(),
                    cause);
        }
        if (cause.kind() == Kind.DEADLINE) {
            return new PodException(
                    Kind.DEADLINE,
                    "the guest of pod %s did not answer within %d s%s"
                            .formatted(
                                    pod.name(),
                                    settings.boot().toSeconds(),
                                    ConsoleTail.quote(ConsoleTail.read(machine.consoleLog()))),
                    "podvm doctor tells whether machines boot on this host",
                    cause);
        }
        return cause;
    }

    private void configure(Agent agent, PodNetwork network, String scratchSerial)
            throws PodException, InterruptedException {
        agent.configure(
                new SandboxSetup(
                        pod.hostname(),
                        "",
                        EtcFiles.hosts(pod, network.ips()),
                        EtcFiles.resolvConf(network),
                        network.interfaces(),
                        Map.of(),
                        scratchSerial,
                        SHM_BYTES),
                Deadline.after(CALL));
        var volumes = new ArrayList<>(pod.volumes().entrySet());
        for (var volume : volumes) {
            if (volume.getValue() instanceof VolumeSpec.Files files) {
                agent.putVolume(volume.getKey(), files.files(), Deadline.after(CALL));
            }
        }
    }

    @FunctionalInterface
    interface Step {
        void run() throws PodException, InterruptedException;
    }
}
