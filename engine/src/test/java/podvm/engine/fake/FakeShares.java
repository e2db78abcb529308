package podvm.engine.fake;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import podvm.engine.Agent;
import podvm.engine.Deadline;
import podvm.engine.GuestShares.Access;
import podvm.engine.GuestShares.Root;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.Shares;

/** Shares of paths that exist by name only. A path can be said to be away, or to have changed. */
public final class FakeShares implements Shares {
    private final Map<PodId, Map<String, ShareSpec>> kept = new LinkedHashMap<>();
    private final Map<Path, Integer> changes = new HashMap<>();
    private final Map<Path, Long> pages = new HashMap<>();
    private final Set<Path> away = new HashSet<>();

    /** From now on it cannot be looked at or opened. */
    public synchronized void takeAway(Path path) {
        away.add(path);
    }

    /** Another file is there from now on. */
    public synchronized void change(Path path) {
        changes.merge(path, 1, Integer::sum);
    }

    private void check(Path path) throws PodException {
        if (away.contains(path)) {
            throw new PodException(Kind.NOT_FOUND, path + " is away", "");
        }
    }

    @Override
    public synchronized Tree look(Path path, Writable writable, Mounts mounts) throws PodException {
        check(path);
        return new Tree(path, writable, mounts);
    }

    /** From now on its files are pages of this size. */
    public synchronized void hugepages(Path path, long bytes) {
        pages.put(path, bytes);
    }

    @Override
    public synchronized OptionalLong hugepages(Path path) {
        var bytes = pages.get(path);
        return bytes == null ? OptionalLong.empty() : OptionalLong.of(bytes);
    }

    @Override
    public synchronized HostShare open(PodId pod, ShareSpec share) throws PodException {
        var path = share.tree().root();
        check(path);
        kept.computeIfAbsent(pod, _ -> new LinkedHashMap<>()).put(share.name(), share);
        return new FakeShare(share, changes.getOrDefault(path, 0));
    }

    @Override
    public synchronized void destroy(PodId pod, String name) {
        kept.computeIfAbsent(pod, _ -> new LinkedHashMap<>()).remove(name);
    }

    @Override
    public synchronized void destroy(PodId pod) {
        kept.remove(pod);
    }

    /** What is kept for pods. */
    public synchronized List<ShareSpec> open() {
        var all = new ArrayList<ShareSpec>();
        kept.values().forEach(shares -> all.addAll(shares.values()));
        return all;
    }

    private final class FakeShare implements HostShare {
        private final ShareSpec spec;
        private final int version;

        FakeShare(ShareSpec spec, int version) {
            this.spec = spec;
            this.version = version;
        }

        @Override
        public ShareSpec spec() {
            return spec;
        }

        @Override
        public boolean current() {
            synchronized (FakeShares.this) {
                return changes.getOrDefault(spec.tree().root(), 0) == version;
            }
        }

        @Override
        public void mount(Agent agent, Deadline deadline)
                throws PodException, InterruptedException {
            var access =
                    spec.tree().writable() == Writable.NOTHING
                            ? Access.READ_ONLY
                            : Access.READ_WRITE;
            agent.shares().mount(spec.name(), Root.DIRECTORY, access, deadline);
        }

        @Override
        public void answer(Agent agent) throws PodException, InterruptedException {
            agent.shares().serve(spec.name(), (_, _, _) -> {});
        }

        @Override
        public void close() {}
    }
}
