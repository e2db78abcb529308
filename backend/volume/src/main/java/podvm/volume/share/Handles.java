package podvm.volume.share;

import java.security.SecureRandom;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import podvm.linux.ErrnoException;
import podvm.linux.OpenFile;

/** The files that the guest has open, by the numbers it was given; at most so many. */
final class Handles {
    private final int most;
    private final NodeTable nodes;
    private final Map<Long, Handle> byId = new HashMap<>();
    private final Map<Node, Map<Long, Handle>> byNode = new HashMap<>();

    /** Other than those of an earlier server, so that its files are known as such. */
    private long next = ((long) new SecureRandom().nextInt(Integer.MAX_VALUE) << 32) | 1;

    private boolean closed;

    Handles(int most, NodeTable nodes) {
        this.most = most;
        this.nodes = nodes;
    }

    /** Takes over the file, also when this fails. */
    synchronized long add(Node node, OpenFile file) throws ErrnoException {
        var id = next++;
        put(id, node, file);
        return id;
    }

    /** A file that an earlier server had open; whoever comes second gets what the first has. */
    synchronized Handle restore(long id, Node node, OpenFile file) throws ErrnoException {
        var there = byId.get(id);
        if (there != null) {
            file.close();
            return there.use();
        }
        return put(id, node, file).use();
    }

    private Handle put(long id, Node node, OpenFile file) throws ErrnoException {
        if (closed || byId.size() >= most) {
            file.close();
            throw new ErrnoException(ErrnoException.EMFILE);
        }
        var handle = new Handle(node, file);
        byId.put(id, handle);
        byNode.computeIfAbsent(node, _ -> new HashMap<>()).put(id, handle);
        nodes.opened(node);
        return handle;
    }

    synchronized @Nullable Handle use(long id) throws ErrnoException {
        var handle = byId.get(id);
        return handle == null ? null : handle.use();
    }

    /** Any open file of a node, which may have no name any more. */
    synchronized Optional<Handle> anyOf(Node node) throws ErrnoException {
        var handles = byNode.get(node);
        return handles == null
                ? Optional.empty()
                : Optional.of(handles.values().iterator().next().use());
    }

    synchronized void release(long id) {
        var handle = byId.remove(id);
        if (handle != null) {
            var same = byNode.getOrDefault(handle.node(), Map.of());
            same.remove(id);
            if (same.isEmpty()) {
                byNode.remove(handle.node());
            }
            nodes.closed(handle.node());
            handle.close();
        }
    }

    synchronized void closeAll() {
        closed = true;
        List.copyOf(byId.keySet()).forEach(this::release);
    }
}
