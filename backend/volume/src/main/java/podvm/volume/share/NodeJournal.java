package podvm.volume.share;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A table of nodes in a file: each change is appended, and from time to time the file is written
 * anew. It must outlive the daemon, not the host, so nothing waits for a disk. Where it cannot be
 * written it is removed: a guest that gets ESTALE later is better than one that gets another file.
 */
final class NodeJournal {
    private static final byte KNOWN = 1;
    private static final byte DROPPED = 2;
    private static final byte NEXT = 3;
    private static final int LONGEST_NAME = 255;

    /** The file is written anew when it has grown by so much, and to twice its size. */
    private static final long SLACK = 1 << 20;

    /**
     * Where a node was last seen.
     *
     * @param parent its number, which is known before it
     */
    record Known(long id, long parent, Node.Identity identity, boolean directory, byte[] name) {}

    private final Path file;
    private final List<Known> earlier;
    private @Nullable OutputStream out;
    private long next;
    private long size;
    private long sizeAtRewrite;

    private NodeJournal(Path file, List<Known> earlier, long next) {
        this.file = file;
        this.earlier = earlier;
        this.next = next;
    }

    /**
     * Reads what an earlier server has left; a last record that it could not finish is not there.
     */
    static NodeJournal open(Path file) throws IOException {
        var known = new LinkedHashMap<Long, Known>();
        // numbers of a journal that got lost must not come again for other files
        var next = 2 + ((new SecureRandom().nextLong() >>> 16) << 8);
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            bytes = new byte[0];
        }
        try (var in = new DataInputStream(new ByteArrayInputStream(bytes))) {
            var first = true;
            while (in.available() > 0) {
                switch (in.readByte()) {
                    case KNOWN -> {
                        var node = known(in);
                        known.putLast(node.id(), node);
                        next = Math.max(next, node.id() + 1);
                    }
                    case DROPPED -> known.remove(in.readLong());
                    case NEXT -> {
                        var told = in.readLong();
                        next = first ? told : Math.max(next, told);
                    }
                    default -> throw new IOException("not a journal of nodes: " + file);
                }
                first = false;
            }
        } catch (EOFException e) {
            // the daemon was killed within its last write
        }
        return new NodeJournal(file, List.copyOf(known.values()), next);
    }

    private static Known known(DataInputStream in) throws IOException {
        var id = in.readLong();
        var parent = in.readLong();
        var identity = new Node.Identity(in.readLong(), in.readLong(), in.readLong());
        var directory = in.readBoolean();
        var name = new byte[Math.min(LONGEST_NAME, in.readUnsignedShort())];
        in.readFully(name);
        return new Known(id, parent, identity, directory, name);
    }

    List<Known> earlier() {
        return earlier;
    }

    long nextId() {
        return next++;
    }

    void begin(Iterable<Known> nodes) {
        try {
            rewrite(nodes);
        } catch (IOException e) {
            giveUp();
        }
    }

    void known(Known node, Supplier<Iterable<Known>> all) {
        append(bytes(out -> write(out, node)));
        if (size > 2 * sizeAtRewrite + SLACK && out != null) {
            begin(all.get());
        }
    }

    void dropped(long id) {
        append(
                bytes(out -> {
                    out.writeByte(DROPPED);
                    out.writeLong(id);
                }));
    }

    private static void write(DataOutputStream out, Known node) throws IOException {
        out.writeByte(KNOWN);
        out.writeLong(node.id());
        out.writeLong(node.parent());
        out.writeLong(node.identity().device());
        out.writeLong(node.identity().inode());
        out.writeLong(node.identity().born());
        out.writeBoolean(node.directory());
        out.writeShort(node.name().length);
        out.write(node.name());
    }

    private void append(byte[] record) {
        if (out == null) {
            return;
        }
        try {
            out.write(record);
            size += record.length;
        } catch (IOException e) {
            giveUp();
        }
    }

    private void rewrite(Iterable<Known> nodes) throws IOException {
        var fresh = file.resolveSibling(file.getFileName() + ".new");
        var bytes =
                bytes(out -> {
                    out.writeByte(NEXT);
                    out.writeLong(next);
                    for (var node : nodes) {
                        write(out, node);
                    }
                });
        Files.write(fresh, bytes);
        Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        close();
        out = new FileOutputStream(file.toFile(), true);
        size = bytes.length;
        sizeAtRewrite = size;
    }

    private void giveUp() {
        close();
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            // a disk that takes no writes at all: what is in it is older, and identities are
            // checked
        }
    }

    void close() {
        var old = out;
        out = null;
        try {
            if (old != null) {
                old.close();
            }
        } catch (IOException e) {
            // nothing is buffered
        }
    }

    @FunctionalInterface
    private interface Writing {
        void to(DataOutputStream out) throws IOException;
    }

    private static byte[] bytes(Writing writing) {
        var bytes = new ByteArrayOutputStream();
        try {
            writing.to(new DataOutputStream(bytes));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return bytes.toByteArray();
    }
}
