package podvm.engine.pod;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import podvm.engine.Agent;
import podvm.engine.Agent.SandboxSetup;
import podvm.engine.Deadline;
import podvm.engine.Disk;
import podvm.engine.Forks;
import podvm.engine.Image;
import podvm.engine.Machine;
import podvm.engine.MachineEnd;
import podvm.engine.MachineSize;
import podvm.engine.MachineSpec;
import podvm.engine.NetworkRequest;
import podvm.engine.NetworkRequest.Dns;
import podvm.engine.NodeGroup;
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

    /** A copy's agent runs already: if it does not answer by then, it never will. */
    private static final Duration COPY = Duration.ofSeconds(10);

    private static final Duration DEATH = Duration.ofMillis(500);
    private static final Duration CALL = Duration.ofSeconds(30);
    private static final Duration FOREVER = Duration.ofDays(1);
    private static final long SHM_BYTES = 64L << 20;

    private final PodId id;
    private final PodSpec pod;
    private final Ports ports;
    private final EngineSettings settings;
    private final Consumer<String> reached;
    private final Extras extras;
    private @Nullable MachineEnd machineEnd;

    /**
     * @param reached hears the name of each stage
     */
    SandboxStart(
            PodId id, PodSpec pod, Ports ports, EngineSettings settings, Consumer<String> reached) {
        this(id, pod, ports, settings, reached, Extras.NONE);
    }

    SandboxStart(
            PodId id,
            PodSpec pod,
            Ports ports,
            EngineSettings settings,
            Consumer<String> reached,
            Extras extras) {
        this.id = id;
        this.pod = pod;
        this.ports = ports;
        this.settings = settings;
        this.reached = reached;
        this.extras = extras;
    }

    /**
     * What a manifest has no word for here.
     *
     * @param uid empty: nobody knows it by one
     * @param dns where it says nothing, the network does
     * @param sandbox as whoever asked for it knows it; empty: by the pod's id
     */
    record Extras(
            String uid,
            Map<String, String> sysctls,
            Dns dns,
            String sandbox,
            Optional<NodeGroup> group) {
        static final Extras NONE = new Extras("", Map.of(), Dns.OF_NETWORK, "", Optional.empty());
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
            var network = undo.add(ports.networks().attach(request(), deadline));
            var disks = new LinkedHashMap<String, Disk>();
            disks.put(scratch.disk().serial(), scratch.disk());
            for (var image : images) {
                image.layers()
                        .forEach(layer -> disks.putIfAbsent(layer.disk().serial(), layer.disk()));
            }
            var spec =
                    new MachineSpec(
                            id,
                            pod.namespace(),
                            size,
                            List.copyOf(disks.values()),
                            network.nics(),
                            extras.group());
            var guest = connected(network, () -> guest(spec, undo, beforeContainers));
            configure(guest.agent(), network, scratch.disk().serial());
            reached.accept("sandbox.configured");
            return new Sandbox(guest.machine(), network, size, guest.agent(), undo.keep());
        }
    }

    private static String started(Machine machine) {
        return machine.origin() instanceof Machine.Origin.Cloned
                ? "machine.cloned"
                : "machine.started";
    }

    private NetworkRequest request() {
        return new NetworkRequest(
                id,
                pod.namespace(),
                pod.name(),
                extras.uid().isEmpty() ? id.text() : extras.uid(),
                pod.annotations(),
                pod.network(),
                pod.ports(),
                extras.dns(),
                extras.sandbox().isEmpty() ? id.text() : extras.sandbox());
    }

    /** Connects the network while the machine boots: the guest hears of it only afterwards. */
    private Guest connected(PodNetwork network, Callable<Guest> boot)
            throws PodException, InterruptedException {
        var deadline = Deadline.after(settings.boot());
        try (var forks = new Forks("start-" + id.brief())) {
            var guest = forks.fork(boot);
            var _ = forks.fork(() -> connect(network, deadline));
            // each of them has a deadline of its own; beforeContainers may take longer
            forks.join(Deadline.after(FOREVER));
            return guest.resultNow();
        }
    }

    private PodNetwork connect(PodNetwork network, Deadline deadline)
            throws PodException, InterruptedException {
        network.connect(deadline);
        reached.accept("network.ready");
        return network;
    }

    private Guest guest(MachineSpec spec, Rollback undo, Step beforeContainers)
            throws PodException, InterruptedException {
        var machine = undo.add(machine(spec));
        if (machine.origin() instanceof Machine.Origin.Cloned) {
            var agent = copysAgent(machine, spec);
            if (agent.isPresent()) {
                undo.add(agent.get());
                reached.accept("agent.connected");
                beforeContainers.run();
                return new Guest(machine, agent.get());
            }
            machine = undo.add(machine(spec));
        }
        var agent = undo.add(awaitAgent(machine, settings.boot(), beforeContainers));
        reached.accept("agent.connected");
        return new Guest(machine, agent);
    }

    private Machine machine(MachineSpec spec) throws PodException, InterruptedException {
        var machine = ports.machines().boot(spec, Deadline.after(settings.boot()));
        reached.accept(started(machine));
        return machine;
    }

    /** Empty where the copy does not answer: the pod gets a machine that boots instead. */
    private Optional<Agent> copysAgent(Machine machine, MachineSpec spec)
            throws PodException, InterruptedException {
        try {
            return Optional.of(awaitAgent(machine, COPY, () -> {}));
        } catch (PodException e) {
            machineEnd = null;
            var why = "a copy of its template did not answer: " + e.getMessage();
            ports.machines().templates().ifPresent(known -> known.reject(spec, why));
            machine.close();
            return Optional.empty();
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
                var machine = undo.add(found.get());
                try (var connection = new Rollback()) {
                    var scratch = ports.volumes().find(id);
                    var network = ports.networks().find(id);
                    var agent = connection.add(reconnect(machine));
                    if (agent.info().configured()) {
                        // the earlier daemon may have died between configuring and this
                        putVolumes(agent);
                        reached.accept("adopted");
                        var owned = new Rollback();
                        owned.add(scratch);
                        owned.add(network);
                        owned.add(undo.keep());
                        owned.add(connection.keep());
                        return Optional.of(new Sandbox(machine, network, size, agent, owned));
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

    /** Connects to a guest that has answered before. */
    Agent reconnect(Machine machine) throws PodException, InterruptedException {
        return awaitAgent(machine, ADOPTION, () -> {});
    }

    /** Removes all host objects of the pod, known or not. */
    void sweep() throws PodException {
        try (var all = new Rollback()) {
            all.add(() -> ports.volumes().destroy(id));
            all.add(() -> ports.shares().destroy(id));
            all.add(() -> ports.networks().destroy(id));
            all.add(() -> ports.machines().destroy(id));
        }
    }

    /** How the machine ended, where it did so before its agent answered. */
    Optional<MachineEnd> machineEnd() {
        return Optional.ofNullable(machineEnd);
    }

    /** The agent, or the reason why the machine ended before it answered. */
    private Agent awaitAgent(Machine machine, Duration patience, Step meanwhile)
            throws PodException, InterruptedException {
        try {
            return FirstAnswer.of(ports.agents(), machine, Deadline.after(patience), meanwhile);
        } catch (PodException e) {
            throw explain(machine, patience, e);
        }
    }

    private PodException explain(Machine machine, Duration patience, PodException cause)
            throws InterruptedException {
        if (ended(machine, cause)) {
            var end = machine.awaitEnd();
            machineEnd = end;
            return new PodException(
                    Kind.MACHINE,
                    "the machine of pod "
                            + pod.name()
                            + " ended before its agent answered: "
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
                                    patience.toSeconds(),
                                    ConsoleTail.quote(ConsoleTail.read(machine.consoleLog()))),
                    "podvm doctor tells whether machines boot on this host",
                    cause);
        }
        return cause;
    }

    /** A connection often breaks a moment before its machine is seen to end. */
    private static boolean ended(Machine machine, PodException cause) throws InterruptedException {
        if (cause.kind() == Kind.MACHINE || cause.kind() == Kind.UNAVAILABLE) {
            var until = Deadline.after(DEATH);
            while (machine.alive() && !until.passed()) {
                Thread.sleep(10);
            }
        }
        return !machine.alive();
    }

    private void configure(Agent agent, PodNetwork network, String scratchSerial)
            throws PodException, InterruptedException {
        agent.configure(
                new SandboxSetup(
                        pod.hostname(),
                        "",
                        EtcFiles.hosts(pod, network.ips()),
                        extras.dns().equals(Dns.OF_NETWORK)
                                ? EtcFiles.resolvConf(network)
                                : EtcFiles.resolvConf(extras.dns()),
                        network.interfaces(),
                        extras.sysctls(),
                        scratchSerial,
                        SHM_BYTES),
                Deadline.after(CALL));
        putVolumes(agent);
    }

    private void putVolumes(Agent agent) throws PodException, InterruptedException {
        for (var volume : pod.volumes().entrySet()) {
            if (volume.getValue() instanceof VolumeSpec.Files files) {
                agent.putVolume(volume.getKey(), files.files(), Deadline.after(CALL));
            }
        }
    }

    private record Guest(Machine machine, Agent agent) {}

    @FunctionalInterface
    interface Step {
        void run() throws PodException, InterruptedException;
    }
}
