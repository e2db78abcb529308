package podvm.engine.pod;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.ReentrantLock;
import podvm.engine.Agent;
import podvm.engine.Agents;
import podvm.engine.Deadline;
import podvm.engine.Machine;
import podvm.engine.Machine.Origin;
import podvm.engine.MachineSize;
import podvm.engine.MachineSpec;
import podvm.engine.Machines;
import podvm.engine.PodEvent;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.Templates;

/**
 * Machines that make templates of themselves, where they can: what had to boot once is copied the
 * next time. One template at a time is made, beside the pods, by a thread of its own; a template
 * stays only when a copy of it has answered.
 */
public final class TemplatedMachines implements Machines, AutoCloseable {
    /** The pod that has just been asked for goes first. */
    private static final Duration HEAD_START = Duration.ofSeconds(2);

    private static final Duration CALL = Duration.ofSeconds(60);

    private final Machines machines;
    private final Agents agents;
    private final Duration boot;
    private final Duration headStart;
    private final PodEvent.Listener events;
    private final BlockingQueue<MachineSpec> asked = new LinkedBlockingQueue<>();
    private final ReentrantLock making = new ReentrantLock();
    private final Thread maker;

    /**
     * @param boot how long a guest may take until its agent answers
     */
    public TemplatedMachines(
            Machines machines, Agents agents, Duration boot, PodEvent.Listener events) {
        this(machines, agents, boot, HEAD_START, events);
    }

    TemplatedMachines(
            Machines machines,
            Agents agents,
            Duration boot,
            Duration headStart,
            PodEvent.Listener events) {
        this.machines = machines;
        this.agents = agents;
        this.boot = boot;
        this.headStart = headStart;
        this.events = events;
        this.maker = Thread.ofVirtual().name("templates").start(this::makeWhatIsAsked);
    }

    @Override
    public Machine boot(MachineSpec spec, Deadline deadline)
            throws PodException, InterruptedException {
        var machine = machines.boot(spec, deadline);
        if (machine.origin() instanceof Origin.Booted booted && !booted.why().isEmpty()) {
            event(spec, PodEvent.Severity.NORMAL, "ColdBoot", booted.why());
            if (templates().filter(known -> known.wanted(spec)).isPresent()) {
                asked.add(spec);
            }
        }
        return machine;
    }

    private void event(MachineSpec spec, PodEvent.Severity severity, String name, String text) {
        events.on(new PodEvent(Instant.now(), spec.pod(), "", severity, name, text));
    }

    private void makeWhatIsAsked() {
        try {
            while (true) {
                var spec = asked.take();
                Thread.sleep(headStart);
                var templates = templates().filter(known -> known.wanted(spec));
                if (templates.isPresent()) {
                    make(templates.get(), spec);
                }
            }
        } catch (InterruptedException e) {
            // the daemon ends
        }
    }

    private void make(Templates templates, MachineSpec spec) throws InterruptedException {
        var kind = words(spec.size());
        try {
            var _ = build(templates, spec);
            event(spec, PodEvent.Severity.NORMAL, "TemplateMade", "of " + kind);
        } catch (PodException e) {
            templates.reject(spec, e.describe());
            var text = "none of " + kind + ": " + e.describe();
            event(spec, PodEvent.Severity.WARNING, "TemplateFailed", text);
        }
    }

    private static String words(MachineSize size) {
        return "machines with %d vCPU and %d MiB".formatted(size.vcpus(), size.memoryMib());
    }

    /** Fails as a machine does that cannot boot. */
    Templates.Status build(Templates templates, MachineSpec spec)
            throws PodException, InterruptedException {
        making.lockInterruptibly();
        try (var draft = templates.draft(spec, Deadline.after(boot))) {
            try (var agent = answer(draft.machine())) {
                agent.prepare(Deadline.after(CALL));
            }
            draft.freeze(Deadline.after(CALL));
            tryOut(draft);
            return draft.publish();
        } finally {
            making.unlock();
        }
    }

    private void tryOut(Templates.Draft draft) throws PodException, InterruptedException {
        try (var machine = draft.trial(Deadline.after(boot));
                var agent = answer(machine)) {
            var _ = agent.infoNow(Deadline.after(CALL));
        }
    }

    private Agent answer(Machine machine) throws PodException, InterruptedException {
        return FirstAnswer.of(agents, machine, Deadline.after(boot), () -> {});
    }

    @Override
    public void check(MachineSize size, int disks) throws PodException {
        machines.check(size, disks);
    }

    @Override
    public Optional<Templates> templates() {
        return machines.templates();
    }

    @Override
    public Optional<Machine> find(PodId pod) throws PodException {
        return machines.find(pod);
    }

    @Override
    public List<PodId> leftovers() throws PodException {
        return machines.leftovers();
    }

    @Override
    public void destroy(PodId pod) throws PodException {
        machines.destroy(pod);
    }

    /** Gives up what is being made; returns when nothing is left of it. */
    @Override
    public void close() {
        maker.interrupt();
        try {
            maker.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
