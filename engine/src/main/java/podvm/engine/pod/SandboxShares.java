package podvm.engine.pod;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import podvm.engine.Agent;
import podvm.engine.Agent.MountPlan;
import podvm.engine.Agent.MountSource;
import podvm.engine.ContainerConfig;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.SandboxShare;
import podvm.engine.Shares;
import podvm.engine.Shares.HostShare;
import podvm.engine.Shares.Mounts;
import podvm.engine.Shares.ShareSpec;
import podvm.engine.Shares.Writable;

/**
 * Paths of the host in the containers of one sandbox: each is a share, and containers that mount
 * the same one have it together. All of it is for the sandbox's own thread, but for answering.
 */
final class SandboxShares {
    private static final Duration CALL = Duration.ofSeconds(30);
    private static final int NAME_BYTES = 6;

    private final PodId pod;
    private final Shares shares;
    private final Events events;
    private final SecureRandom random = new SecureRandom();
    private final List<One> all = new ArrayList<>();

    private static final class One {
        final ShareSpec spec;
        final Set<ContainerId> users;

        /** Null until it is opened, which the journal knows of before. */
        @Nullable HostShare open;

        One(ShareSpec spec, Set<ContainerId> users) {
            this.spec = spec;
            this.users = users;
        }
    }

    /**
     * @param earlier what an earlier daemon had; {@link #resume} takes it up
     */
    SandboxShares(PodId pod, Shares shares, Events events, List<SandboxShare> earlier) {
        this.pod = pod;
        this.shares = shares;
        this.events = events;
        for (var share : earlier) {
            all.add(new One(share.spec(), new LinkedHashSet<>(share.users())));
        }
    }

    /** For the journal. */
    List<SandboxShare> held() {
        return all.stream().map(one -> new SandboxShare(one.spec, List.copyOf(one.users))).toList();
    }

    /** Which share a mount shows. It is there for the guest after {@link #provide}. */
    MountPlan choose(ContainerId container, ContainerConfig.Mount mount)
            throws PodException, InterruptedException {
        if (!(mount.source() instanceof ContainerConfig.MountSource.HostPath(var path))) {
            throw new IllegalArgumentException("not of the host: " + mount);
        }
        var pages = shares.hugepages(path);
        if (pages.isPresent()) {
            return new MountPlan(
                    mount.containerPath(),
                    new MountSource.Hugepages(name(path), pages.getAsLong()),
                    mount.readOnly(),
                    mount.subPath());
        }
        var tree = shares.look(path, writable(mount), mounts(mount));
        var one = showing(tree);
        one.users.add(container);
        if (tree.shown() == Shares.Shown.SOCKET) {
            return new MountPlan(
                    mount.containerPath(),
                    new MountSource.Socket(one.spec.name()),
                    mount.readOnly(),
                    mount.subPath());
        }
        return new MountPlan(
                mount.containerPath(),
                new MountSource.Share(one.spec.name(), propagation(mount)),
                mount.readOnly() && tree.writable() == Writable.NOTHING,
                mount.subPath());
    }

    /** The same for all containers of the pod. */
    private static String name(Path path) {
        return "p" + Integer.toHexString(path.normalize().toString().hashCode());
    }

    private static Writable writable(ContainerConfig.Mount mount) {
        if (!mount.readOnly()) {
            return Writable.ALL;
        }
        // what is mounted live cannot be told apart, and is not writable rather than too much so
        return mount.recursiveReadOnly() || mounts(mount) == Mounts.LIVE
                ? Writable.NOTHING
                : Writable.BELOW_MOUNTS;
    }

    private static Mounts mounts(ContainerConfig.Mount mount) {
        return mount.propagation() == ContainerConfig.Mount.Propagation.PRIVATE
                ? Mounts.AS_OPENED
                : Mounts.LIVE;
    }

    private static Agent.Propagation propagation(ContainerConfig.Mount mount) {
        return switch (mount.propagation()) {
            case PRIVATE -> Agent.Propagation.NONE;
            case HOST_TO_CONTAINER -> Agent.Propagation.HOST_TO_CONTAINER;
            case BIDIRECTIONAL -> Agent.Propagation.BIDIRECTIONAL;
        };
    }

    private One showing(Shares.Tree tree) throws InterruptedException {
        for (var possible : List.of(tree, writable(tree))) {
            for (var one : all) {
                if (one.spec.tree().equals(possible) && current(one)) {
                    return one;
                }
            }
        }
        return add(tree);
    }

    /**
     * Who reads what another container of the pod writes sees it at once where both have the same
     * share; the machine may write there already.
     */
    private static Shares.Tree writable(Shares.Tree tree) {
        return tree.writable() == Writable.NOTHING
                ? new Shares.Tree(tree.root(), Writable.ALL, tree.mounts())
                : tree;
    }

    /** One that is being made for the same container may lack its opening yet. */
    private static boolean current(One one) throws InterruptedException {
        var open = one.open;
        return open == null ? !one.users.isEmpty() : open.current();
    }

    /** A name is never used again: what is kept of a share goes by it. */
    private One add(Shares.Tree tree) {
        var bytes = new byte[NAME_BYTES];
        random.nextBytes(bytes);
        var name = "h" + HexFormat.of().formatHex(bytes);
        var one = new One(new ShareSpec(name, tree), new LinkedHashSet<>());
        all.add(one);
        return one;
    }

    /** Has the guest see all that was chosen for a container. */
    void provide(ContainerId container, Agent agent, Deadline deadline)
            throws PodException, InterruptedException {
        for (var one : all) {
            if (one.users.contains(container) && one.open == null) {
                serve(one, agent, deadline);
            }
        }
    }

    private void serve(One one, Agent agent, Deadline deadline)
            throws PodException, InterruptedException {
        var open = one.open;
        if (open == null) {
            open = shares.open(pod, one.spec);
            one.open = open;
        }
        open.mount(agent, deadline);
        var served = open;
        Thread.ofVirtual()
                .name("share-" + pod.brief() + "-" + one.spec.name())
                .start(() -> answer(served, agent));
    }

    private void answer(HostShare share, Agent agent) {
        try {
            share.answer(agent);
        } catch (PodException e) {
            // without its connection it is served on the next one
            if (e.kind() != Kind.MACHINE) {
                lost(share.spec(), e);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    private void lost(ShareSpec share, PodException why) {
        events.warning(
                "ShareLost",
                "nobody serves %s to the pod any more: %s"
                        .formatted(share.tree().root(), why.describe()));
    }

    /** The container is gone, or was never made; what nobody mounts any more goes. */
    void release(ContainerId container, Agent agent) throws InterruptedException {
        all.forEach(one -> one.users.remove(container));
        for (var one : List.copyOf(all)) {
            if (one.users.isEmpty()) {
                end(one, agent);
            }
        }
    }

    /** One that cannot be ended is tried again on the next connection. */
    private void end(One one, Agent agent) throws InterruptedException {
        try {
            agent.shares().end(one.spec.name(), Deadline.after(CALL));
            close(one);
            shares.destroy(pod, one.spec.name());
            all.remove(one);
        } catch (PodException e) {
            close(one);
            if (e.kind() != Kind.MACHINE) {
                events.warning("ReleaseFailed", e.describe());
            }
        }
    }

    private static void close(One one) {
        var open = one.open;
        if (open != null) {
            open.close();
            one.open = null;
        }
    }

    /** Serves all of it over a new connection. What cannot be shown any more ends in the guest. */
    void resume(Agent agent) throws InterruptedException {
        for (var one : List.copyOf(all)) {
            if (one.users.isEmpty()) {
                end(one, agent);
                continue;
            }
            try {
                serve(one, agent, Deadline.after(CALL));
            } catch (PodException e) {
                if (e.kind() == Kind.MACHINE) {
                    // the message that the connection is lost again is on its way
                    return;
                }
                lost(one.spec, e);
                endInGuest(one, agent);
            }
        }
    }

    private static void endInGuest(One one, Agent agent) throws InterruptedException {
        close(one);
        try {
            agent.shares().end(one.spec.name(), Deadline.after(CALL));
        } catch (PodException e) {
            // its programs wait until the machine ends
        }
    }

    /** The machine has ended. */
    void forgetAll() {
        letGo();
        all.clear();
    }

    /** Leaves all of it to the next daemon. */
    void letGo() {
        all.forEach(SandboxShares::close);
    }
}
