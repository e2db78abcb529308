package podvm.engine.fake;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.concurrent.atomic.AtomicInteger;
import podvm.engine.Agent;
import podvm.engine.Agents;
import podvm.engine.Deadline;
import podvm.engine.GuestAddress;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** Connections of which one breaks, before or after its n-th call: its answer is lost. */
public final class FragileAgents implements Agents {
    private final FakeNode node;
    private final int lastStep;
    private final AtomicInteger steps = new AtomicInteger();
    private volatile String broken = "";

    /**
     * @param lastStep counts the beginnings and the ends of calls, from 1
     */
    public FragileAgents(FakeNode node, int lastStep) {
        this.node = node;
        this.lastStep = lastStep;
    }

    /** Where it broke; empty when it did not. */
    public String broken() {
        return broken;
    }

    @Override
    public Agent connect(GuestAddress guest, Deadline deadline)
            throws PodException, InterruptedException {
        var agent = node.agents.connect(guest, deadline);
        return (Agent)
                Proxy.newProxyInstance(
                        Agent.class.getClassLoader(),
                        new Class<?>[] {Agent.class},
                        (self, method, args) -> {
                            switch (method.getName()) {
                                case "equals" -> {
                                    return self == args[0];
                                }
                                case "hashCode" -> {
                                    return System.identityHashCode(self);
                                }
                                default -> {}
                            }
                            boolean counts =
                                    switch (method.getName()) {
                                        case "create", "start", "signal", "remove" -> true;
                                        default -> false;
                                    };
                            try {
                                if (counts) {
                                    step("before " + method.getName());
                                }
                                var result = method.invoke(agent, args);
                                if (counts) {
                                    step("after " + method.getName());
                                }
                                return result;
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            }
                        });
    }

    private void step(String call) throws PodException {
        if (steps.incrementAndGet() == lastStep) {
            broken = call;
            node.machines.booted().forEach(FakeGuest::disconnectAll);
            throw new PodException(Kind.MACHINE, "the connection broke", "");
        }
    }
}
