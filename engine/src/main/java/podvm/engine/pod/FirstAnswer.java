package podvm.engine.pod;

import java.util.concurrent.CancellationException;
import java.util.concurrent.Future;
import podvm.engine.Agent;
import podvm.engine.Agents;
import podvm.engine.Deadline;
import podvm.engine.Forks;
import podvm.engine.Machine;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Rollback;

/** Waits for a guest's agent, and no longer than its machine lives. */
final class FirstAnswer {
    private FirstAnswer() {}

    /**
     * Fails with MACHINE where the machine ended before.
     *
     * @param meanwhile done while the guest boots
     */
    static Agent of(Agents agents, Machine machine, Deadline deadline, SandboxStart.Step meanwhile)
            throws PodException, InterruptedException {
        var name = machine.pod().brief();
        try (var undo = new Rollback();
                var forks = new Forks("boot-" + name)) {
            var agent = forks.fork(() -> undo.add(agents.connect(machine.guest(), deadline)));
            // not among the forks that are joined: it ends only when the machine does
            var death =
                    Thread.ofVirtual()
                            .name("death-" + name)
                            .start(() -> cancelWhenDead(machine, agent));
            try {
                meanwhile.run();
                forks.join(deadline);
                var _ = undo.keep();
                return agent.resultNow();
            } catch (CancellationException e) {
                throw new PodException(Kind.MACHINE, "the machine ended", "", e);
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
}
