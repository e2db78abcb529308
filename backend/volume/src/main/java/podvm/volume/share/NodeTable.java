package podvm.volume.share;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import podvm.linux.ErrnoException;

/**
 * The files that a guest's kernel knows by number, at most so many. Beyond that the ones unused for
 * longest are dropped, files before directories; the guest gets ESTALE for them and looks their
 * names up again. What the table knows is journalled, so that numbers outlive the daemon.
 */
final class NodeTable {
    static final long ROOT = 1;

    private final int most;
    private final NodeJournal journal;
    private final SequencedMap<Long, Node> byId = new LinkedHashMap<>(16, 0.75f, true);
    private final Map<Node.Identity, Node> byIdentity = new HashMap<>();
    private final Node root;

    NodeTable(int most, NodeJournal journal, Node.Identity rootIdentity) {
        this.most = most;
        this.journal = journal;
        root = new Node(ROOT, rootIdentity, true, null, new byte[0]);
        byId.put(ROOT, root);
        byIdentity.put(rootIdentity, root);
        journal.earlier().forEach(this::inherit);
        journal.begin(records());
    }

    private void inherit(NodeJournal.Known known) {
        var parent = byId.get(known.parent());
        if (parent != null && !byId.containsKey(known.id())) {
            var node =
                    new Node(known.id(), known.identity(), known.directory(), parent, known.name());
            node.inherited = true;
            add(node, parent);
        }
    }

    private void add(Node node, Node parent) {
        parent.children++;
        byId.put(node.id(), node);
        byIdentity.put(node.identity(), node);
    }

    /** Fails with ESTALE for a number that is not known. */
    synchronized Node get(long id) throws ErrnoException {
        var node = byId.get(id);
        if (node == null) {
            throw new ErrnoException(ErrnoException.ESTALE);
        }
        return node;
    }

    /** The node of a file that the guest is told of now, and that was found at this place. */
    synchronized Node found(Node.Identity identity, boolean directory, Node parent, byte[] name)
            throws ErrnoException {
        var node = byIdentity.get(identity);
        if (node == null) {
            makeRoom();
            node = new Node(journal.nextId(), identity, directory, parent, name);
            add(node, parent);
            write(node);
        } else {
            move(node, parent, name);
        }
        node.lookups++;
        return node;
    }

    /** The guest has given a file another place. */
    synchronized void moved(Node.Identity identity, Node parent, byte[] name) {
        var node = byIdentity.get(identity);
        if (node != null) {
            move(node, parent, name);
        }
    }

    private void move(Node node, Node parent, byte[] name) {
        var old = node.parent;
        var same = old == parent && java.util.Arrays.equals(node.name, name);
        if (old == null || same || within(parent, node)) {
            return;
        }
        node.parent = parent;
        node.name = name;
        parent.children++;
        write(node);
        release(old);
    }

    /** A directory of the host that is mounted within itself must not become its own parent. */
    private static boolean within(Node inner, Node outer) {
        for (@Nullable Node at = inner; at != null; at = at.parent) {
            if (at == outer) {
                return true;
            }
        }
        return false;
    }

    private void release(Node parent) {
        parent.children--;
        dropIfUnknown(parent);
    }

    synchronized void forget(long id, long lookups) {
        var node = byId.get(id);
        if (node == null || node.root()) {
            return;
        }
        if (node.inherited) {
            // the guest forgets all that it was told before, and counts what nobody here has
            // counted
            node.inherited = false;
        } else {
            node.lookups = Math.max(0, node.lookups - Math.max(0, lookups));
        }
        dropIfUnknown(node);
    }

    private void dropIfUnknown(Node node) {
        if (node.lookups == 0 && !node.inherited && evictable(node)) {
            drop(node);
        }
    }

    private static boolean evictable(Node node) {
        return node.children == 0 && node.handles == 0 && !node.root();
    }

    private void drop(Node node) {
        byId.remove(node.id());
        byIdentity.remove(node.identity(), node);
        journal.dropped(node.id());
        var parent = node.parent;
        if (parent != null) {
            release(parent);
        }
    }

    private void makeRoom() throws ErrnoException {
        if (byId.size() < most) {
            return;
        }
        // many at once, so that looking through all of them is paid for
        var wanted = Math.max(1, most / 16);
        var unused = new ArrayList<Node>();
        for (var filesOnly : new boolean[] {true, false}) {
            for (var node : byId.values()) {
                if (unused.size() < wanted && evictable(node) && node.directory() != filesOnly) {
                    unused.add(node);
                }
            }
        }
        if (unused.isEmpty()) {
            throw new ErrnoException(ErrnoException.EMFILE);
        }
        unused.forEach(this::drop);
    }

    synchronized void opened(Node node) {
        node.handles++;
    }

    synchronized void closed(Node node) {
        node.handles--;
        dropIfUnknown(node);
    }

    /** The way from the root; fails with ENAMETOOLONG where the kernel would not take it. */
    synchronized byte[] path(Node node) throws ErrnoException {
        var length = -1;
        for (var at = node; at.parent != null; at = at.parent) {
            length += at.name.length + 1;
        }
        if (length > FuseRequest.MAX_PATH) {
            throw new ErrnoException(ErrnoException.ENAMETOOLONG);
        }
        var path = new byte[Math.max(0, length)];
        var end = path.length;
        for (var at = node; at.parent != null; at = at.parent) {
            end -= at.name.length;
            System.arraycopy(at.name, 0, path, end, at.name.length);
            if (end > 0) {
                path[--end] = '/';
            }
        }
        return path;
    }

    synchronized int size() {
        return byId.size();
    }

    /** What is known now is what a later server gets; nothing is written from here on. */
    synchronized void stopWriting() {
        journal.close();
    }

    private void write(Node node) {
        journal.known(record(node), this::records);
    }

    private static NodeJournal.Known record(Node node) {
        var parent = node.parent;
        return new NodeJournal.Known(
                node.id(),
                parent == null ? 0 : parent.id(),
                node.identity(),
                node.directory(),
                node.name);
    }

    /** Parents before their children. */
    private Iterable<NodeJournal.Known> records() {
        var written = new java.util.LinkedHashSet<Node>();
        for (var node : byId.values()) {
            var way = new ArrayList<Node>();
            for (@Nullable Node at = node; at != null && !at.root(); at = at.parent) {
                way.addFirst(at);
            }
            written.addAll(way);
        }
        return written.stream().map(NodeTable::record).toList();
    }
}
