package podvm.volume.share;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import podvm.linux.ErrnoException;
import podvm.linux.Place;

/** A share's server, asked as the guest's kernel does, or worse. */
final class FuseGuest implements AutoCloseable {
    static final int READ = 0;
    static final int WRITE = 1;
    static final int READ_WRITE = 2;

    private static final int HEADER = 40;

    private final ShareServer server;
    private final NodeTable nodes;
    private long unique = 2;

    private FuseGuest(ShareServer server, NodeTable nodes) {
        this.server = server;
        this.nodes = nodes;
    }

    static FuseGuest of(Path root, Path journal) throws Exception {
        return of(root, journal, false, 1000, 100);
    }

    static FuseGuest readOnly(Path root, Path journal) throws Exception {
        return of(root, journal, true, 1000, 100);
    }

    static FuseGuest of(Path root, Path journal, boolean readOnly, int mostNodes, int mostOpen)
            throws ErrnoException, IOException {
        var place = Place.at(root);
        var stat = place.stat();
        var nodes = new NodeTable(mostNodes, NodeJournal.open(journal), Node.Identity.of(stat));
        var handles = new Handles(mostOpen, nodes);
        var tree = new ShareTree(place, nodes, handles);
        var owners = Owners.ofThisProcess();
        var server = new ShareServer(readOnly, tree, nodes, handles, owners, Runnable::run);
        return new FuseGuest(server, nodes);
    }

    /** What was answered: an errno, or 0 and a body. */
    record Answer(int errno, ByteBuffer body) {
        long node() {
            return body.getLong(0);
        }

        int mode() {
            return body.getInt(40 + 60);
        }

        long handle() {
            return body.getLong(0);
        }

        int openFlags() {
            return body.getInt(8);
        }

        String text() {
            return StandardCharsets.UTF_8.decode(body.duplicate()).toString();
        }
    }

    Answer ask(int opcode, long node, byte[] body) {
        return ask(opcode, node, body, false);
    }

    Answer ask(int opcode, long node, byte[] body, boolean again) {
        var sent = new byte[1][];
        try {
            server.request(message(opcode, node, body), again, answer -> sent[0] = answer);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        if (sent[0] == null) {
            return new Answer(0, ByteBuffer.allocate(0));
        }
        var answer = ByteBuffer.wrap(sent[0]).order(ByteOrder.LITTLE_ENDIAN);
        var well = answer.getInt(0) == sent[0].length && answer.getLong(8) == unique;
        if (!well) {
            throw new AssertionError("the kernel would refuse this answer");
        }
        return new Answer(
                -answer.getInt(4), answer.slice(16, sent[0].length - 16).order(answer.order()));
    }

    private ByteBuffer message(int opcode, long node, byte[] body) {
        unique += 2;
        return ByteBuffer.allocate(HEADER + body.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(HEADER + body.length)
                .putInt(opcode)
                .putLong(unique)
                .putLong(node)
                .putInt(0)
                .putInt(0)
                .putInt(1)
                .putInt(0)
                .put(body)
                .flip();
    }

    /** As it is, whatever it is. */
    void raw(byte[] message) throws InterruptedException {
        server.request(ByteBuffer.wrap(message), (message.length & 1) == 0, _ -> {});
    }

    Answer lookup(long node, String name) {
        return ask(Opcode.LOOKUP, node, body().text(name).bytes());
    }

    /** Each element looked up, as a path walk does. */
    long walk(String path) {
        var node = NodeTable.ROOT;
        for (var name : path.split("/")) {
            var answer = lookup(node, name);
            if (answer.errno() != 0) {
                throw new AssertionError(name + " of " + path + ": errno " + answer.errno());
            }
            node = answer.node();
        }
        return node;
    }

    Answer open(long node, int flags) {
        return ask(Opcode.OPEN, node, body().u32(flags).u32(0).bytes());
    }

    Answer read(long node, long handle, long offset, int size) {
        return ask(Opcode.READ, node, readBody(handle, offset, size));
    }

    static byte[] readBody(long handle, long offset, int size) {
        return body().u64(handle).u64(offset).u32(size).u32(0).u64(0).u32(0).u32(0).bytes();
    }

    Answer write(long node, long handle, long offset, String text, int flags) {
        var data = text.getBytes(StandardCharsets.UTF_8);
        return ask(
                Opcode.WRITE,
                node,
                body().u64(handle)
                        .u64(offset)
                        .u32(data.length)
                        .u32(0)
                        .u64(0)
                        .u32(flags)
                        .u32(0)
                        .raw(data)
                        .bytes());
    }

    Answer create(long node, String name, int mode) {
        return ask(
                Opcode.CREATE,
                node,
                body().u32(READ_WRITE).u32(mode).u32(0).u32(0).text(name).bytes());
    }

    Answer makeDirectory(long node, String name, boolean again) {
        return ask(Opcode.MKDIR, node, body().u32(0755).u32(0).text(name).bytes(), again);
    }

    Answer unlink(long node, String name, boolean again) {
        return ask(Opcode.UNLINK, node, body().text(name).bytes(), again);
    }

    Answer attributes(long node) {
        return ask(Opcode.GETATTR, node, body().u64(0).u64(0).bytes());
    }

    Answer release(long node, long handle) {
        return ask(Opcode.RELEASE, node, body().u64(handle).u64(0).u64(0).bytes());
    }

    void forget(long node, long lookups) {
        ask(Opcode.FORGET, node, body().u64(lookups).bytes());
    }

    int known() {
        return nodes.size();
    }

    static Body body() {
        return new Body();
    }

    /** Little-endian numbers, and names with a zero. */
    static final class Body {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Body u32(int value) {
            out.writeBytes(little(4).putInt(value).array());
            return this;
        }

        Body u64(long value) {
            out.writeBytes(little(8).putLong(value).array());
            return this;
        }

        Body text(String text) {
            out.writeBytes(text.getBytes(StandardCharsets.ISO_8859_1));
            out.write(0);
            return this;
        }

        Body raw(byte[] bytes) {
            out.writeBytes(bytes);
            return this;
        }

        byte[] bytes() {
            return out.toByteArray();
        }

        private static ByteBuffer little(int size) {
            return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        }
    }

    @Override
    public void close() {
        server.close();
    }
}
