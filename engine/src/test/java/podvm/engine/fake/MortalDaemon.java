package podvm.engine.fake;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import podvm.engine.Agent;
import podvm.engine.Agents;
import podvm.engine.GuestShares;
import podvm.engine.Images;
import podvm.engine.Journals;
import podvm.engine.Machine;
import podvm.engine.Machines;
import podvm.engine.Networks;
import podvm.engine.PodEvent;
import podvm.engine.PodNetwork;
import podvm.engine.SandboxJournals;
import podvm.engine.Shares;
import podvm.engine.Volumes;
import podvm.engine.pod.PodHistory;
import podvm.engine.pod.Ports;

/**
 * Ports of a daemon that dies, as by SIGKILL, before or after its n-th call of a port. From then on
 * it can do nothing any more: each call it still tries throws {@link Killed}, and its connections
 * are gone.
 */
public final class MortalDaemon {
    private final FakeNode node;
    private final int lastStep;
    private final AtomicInteger steps = new AtomicInteger();
    private final AtomicInteger busy = new AtomicInteger();
    private volatile boolean dead;
    private volatile String lastCall = "";

    /** What the threads of a dead daemon end with. */
    public static final class Killed extends Error {
        private static final long serialVersionUID = 1;

        Killed() {
            super("the daemon was killed", null, false, false);
        }
    }

    /**
     * @param lastStep counts the beginnings and the ends of calls, from 1
     */
    public MortalDaemon(FakeNode node, int lastStep) {
        this.node = node;
        this.lastStep = lastStep;
    }

    public Ports ports() {
        var ports = node.ports();
        return new Ports(
                mortal(Images.class, ports.images()),
                mortal(Machines.class, ports.machines()),
                mortal(Agents.class, ports.agents()),
                mortal(Networks.class, ports.networks()),
                mortal(Volumes.class, ports.volumes()),
                mortal(Shares.class, ports.shares()),
                mortal(Journals.class, ports.journals()),
                mortal(SandboxJournals.class, ports.sandboxJournals()),
                mortal(PodEvent.Listener.class, ports.events()),
                new PodHistory());
    }

    public boolean dead() {
        return dead;
    }

    /** Where it died. */
    public String lastCall() {
        return lastCall;
    }

    public int steps() {
        return steps.get();
    }

    public void kill() {
        dead = true;
        node.machines.booted().forEach(FakeGuest::disconnectAll);
    }

    /** Returns when nothing of the dead daemon is on its way any more. */
    public void awaitStillness() throws InterruptedException {
        while (busy.get() > 0) {
            Thread.sleep(1);
        }
    }

    private void step(String call) {
        if (!dead && steps.incrementAndGet() == lastStep) {
            lastCall = call;
            kill();
        }
        if (dead) {
            throw new Killed();
        }
    }

    private <T> T mortal(Class<T> port, T target) {
        return port.cast(
                Proxy.newProxyInstance(
                        port.getClassLoader(),
                        new Class<?>[] {port},
                        (self, method, args) -> call(port, target, self, method, args)));
    }

    private Object call(Class<?> port, Object target, Object self, Method method, Object[] args)
            throws Throwable {
        if (method.getDeclaringClass() == Object.class) {
            return switch (method.getName()) {
                case "equals" -> self == args[0];
                case "hashCode" -> System.identityHashCode(self);
                default -> "mortal " + target;
            };
        }
        var call = port.getSimpleName() + "." + method.getName();
        // waiting is no step: a death then is one before or after another call
        boolean quiet =
                switch (method.getName()) {
                    case "awaitEnd",
                            "watch",
                            "readOutput",
                            "serve",
                            "answer",
                            "alive",
                            "logs",
                            "info",
                            "infoNow",
                            "on" ->
                            true;
                    default -> false;
                };
        if (!quiet) {
            step("before " + call);
        } else if (dead) {
            throw new Killed();
        }
        if (args != null) {
            for (int i = 0; i < args.length; i++) {
                if (args[i] instanceof Agent.OutputSink sink) {
                    args[i] = listening(Agent.OutputSink.class, sink);
                } else if (args[i] instanceof Agent.Watcher watcher) {
                    args[i] = listening(Agent.Watcher.class, watcher);
                }
            }
        }
        try {
            var result = method.invoke(target, args);
            if (!quiet) {
                step("after " + call);
            }
            return wrap(result);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private Object wrap(Object result) {
        return switch (result) {
            case null -> null;
            case Optional<?> some when some.isPresent() && some.get() instanceof Machine machine ->
                    Optional.of(mortal(Machine.class, machine));
            case Machine machine -> mortal(Machine.class, machine);
            case Agent agent -> mortal(Agent.class, agent);
            case GuestShares shares -> mortal(GuestShares.class, shares);
            case Shares.HostShare share -> mortal(Shares.HostShare.class, share);
            case PodNetwork network -> mortal(PodNetwork.class, network);
            case Volumes.ScratchDisk disk -> mortal(Volumes.ScratchDisk.class, disk);
            default -> result;
        };
    }

    /** What a guest calls: it no longer reaches a dead daemon. */
    private <T> T listening(Class<T> type, T target) {
        return type.cast(
                Proxy.newProxyInstance(
                        type.getClassLoader(),
                        new Class<?>[] {type},
                        (_, method, args) -> {
                            busy.incrementAndGet();
                            try {
                                step("before " + method.getName());
                                var result = method.invoke(target, args);
                                step("after " + method.getName());
                                return result;
                            } catch (InvocationTargetException e) {
                                throw e.getCause();
                            } finally {
                                busy.decrementAndGet();
                            }
                        }));
    }
}
