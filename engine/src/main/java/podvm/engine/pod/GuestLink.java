package podvm.engine.pod;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import podvm.engine.Agent;
import podvm.engine.Agent.ContainerReport;
import podvm.engine.Deadline;
import podvm.engine.Machine;
import podvm.engine.MachineEnd;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * A pod's way to its guest: hears what the agent tells and when the machine ends, and connects
 * again when the connection breaks.
 */
final class GuestLink {
    /** A connection that lasted this long is not counted against the next one. */
    private static final Duration STABLE = Duration.ofMinutes(1);

    private static final int RECONNECTS = 3;

    private final String podName;
    private final String threadName;
    private final SandboxStart starter;
    private final Mailbox mailbox;
    private final Events events;
    private int reconnects;
    private Deadline stable = Deadline.after(STABLE);
    private volatile @Nullable Sandbox sandbox;

    GuestLink(String podName, SandboxStart starter, Mailbox mailbox, Events events) {
        this.podName = podName;
        this.threadName = events.pod().brief();
        this.starter = starter;
        this.mailbox = mailbox;
        this.events = events;
    }

    /** Empty before there is a machine, and after its end. */
    Optional<Sandbox> sandbox() {
        return Optional.ofNullable(sandbox);
    }

    Optional<Machine> machine() {
        return sandbox().map(Sandbox::machine);
    }

    /** The agent of a running pod. */
    Agent agent() throws PodException {
        var now = sandbox;
        if (now == null) {
            throw new PodException(
                    Kind.CONFLICT,
                    "pod " + podName + " is not running",
                    "podvm ps -a shows its state");
        }
        return now.agent();
    }

    /** From here on the mailbox hears of it. */
    void join(Sandbox made) {
        sandbox = made;
        listen(made.agent());
        Thread.ofVirtual()
                .name("machine-" + threadName)
                .start(() -> {
                    try {
                        mailbox.tell(new PodMessage.MachineEnded(made.machine().awaitEnd()));
                    } catch (InterruptedException e) {
                        throw new IllegalStateException("nobody interrupts this thread", e);
                    }
                });
    }

    /** Nobody reaches the guest from here on, and nothing is left of it; what fails is told. */
    void release() {
        var now = sandbox();
        sandbox = null;
        if (now.isPresent()) {
            release(now.get()::close);
        }
        release(starter::sweep);
    }

    private interface Release {
        void run() throws PodException;
    }

    private void release(Release work) {
        try {
            work.run();
        } catch (PodException e) {
            events.warning("ReleaseFailed", e.describe());
        }
    }

    private void listen(Agent agent) {
        Thread.ofVirtual()
                .name("watch-" + threadName)
                .start(() -> {
                    try {
                        agent.watch(new Listening(agent));
                    } catch (PodException | InterruptedException e) {
                        // told below, like an end without error
                    } finally {
                        mailbox.tell(new PodMessage.ConnectionLost(agent));
                    }
                });
    }

    private final class Listening implements Agent.Watcher {
        private final Agent agent;

        private Listening(Agent agent) {
            this.agent = agent;
        }

        @Override
        public void changed(ContainerReport report) {
            mailbox.tell(new PodMessage.Reported(report));
        }

        @Override
        public void presentTold() {
            mailbox.tell(new PodMessage.PresentTold(agent));
        }
    }

    /** What came of a lost connection. */
    sealed interface Reconnection {
        /** It was not the present connection. */
        record Unneeded() implements Reconnection {}

        /** The present state of all containers is told anew. */
        record Connected() implements Reconnection {}

        record Dead(MachineEnd end) implements Reconnection {}

        record Failed(String message) implements Reconnection {}
    }

    Reconnection reconnect(Agent lost) throws InterruptedException {
        var now = sandbox;
        if (now == null || !now.agent().equals(lost)) {
            return new Reconnection.Unneeded();
        }
        lost.close();
        if (!now.machine().alive()) {
            return new Reconnection.Dead(now.machine().awaitEnd());
        }
        reconnects = stable.passed() ? 1 : reconnects + 1;
        if (reconnects > RECONNECTS) {
            return new Reconnection.Failed(
                    "the connection to the agent breaks again and again"
                            + ConsoleTail.quote(ConsoleTail.read(now.machine().consoleLog())));
        }
        events.warning("AgentReconnect", "the connection to the agent was lost; connecting again");
        Agent agent;
        try {
            agent = now.owned().add(starter.reconnect(now.machine()));
        } catch (PodException e) {
            mailbox.checkDetaching();
            return now.machine().alive()
                    ? new Reconnection.Failed(e.describe())
                    : new Reconnection.Dead(now.machine().awaitEnd());
        }
        stable = Deadline.after(STABLE);
        sandbox = new Sandbox(now.machine(), now.network(), now.size(), agent, now.owned());
        listen(agent);
        return new Reconnection.Connected();
    }
}
