package podvm.cli;

import com.google.protobuf.UnsafeByteOperations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import podvm.proto.node.v1.FileEntry;
import podvm.proto.node.v1.FilePiece;
import podvm.proto.node.v1.WriteFilesRequest;
import podvm.proto.node.v1.WriteFilesResponse;
import podvm.proto.node.v1.WriteFilesStart;

/** Files on their way from here into a container. */
final class CopyIn {
    private static final int CHUNK = 32 << 10;
    private static final int KIND = 0170000;
    private static final int FIFO = 0010000;
    private static final String ATTRIBUTES =
            "unix:mode,uid,gid,ino,dev,nlink,size,lastModifiedTime";

    private final Session session;
    private final Transfers progress;
    private final boolean owners;

    /** Files with several names, and the one under which each was sent. */
    private final Map<String, String> links = new HashMap<>();

    private long bytes;
    private boolean open = true;

    CopyIn(Session session, Transfers progress, boolean owners) {
        this.session = session;
        this.progress = progress;
        this.owners = owners;
    }

    void run(String from, Path source, Cp.Remote to) throws Failure, IOException {
        boolean follow = from.endsWith("/") || Cp.isContents(from);
        if (!(follow ? Files.exists(source) : Files.exists(source, LinkOption.NOFOLLOW_LINKS))) {
            throw Failure.of("there is no file " + from, "name one that is there");
        }
        var start = follow ? source.toRealPath() : source;
        var begin =
                WriteFilesStart.newBuilder()
                        .setPod(to.pod())
                        .setContainer(to.container())
                        .setPath(to.path())
                        .setName(
                                String.valueOf(
                                        start.toRealPath(LinkOption.NOFOLLOW_LINKS).getFileName()))
                        .setDirectory(Files.isDirectory(start, LinkOption.NOFOLLOW_LINKS))
                        .setContents(Cp.isContents(from));
        try (var call = session.node().exchange("WriteFiles", WriteFilesResponse.parser())) {
            send(call, WriteFilesRequest.newBuilder().setStart(begin));
            walk(call, start, "");
            send(call, WriteFilesRequest.newBuilder().setEnd(true));
            if (open) {
                call.endInput();
            }
            if (call.next().isEmpty()) {
                throw Node.nonsense("WriteFiles");
            }
        }
    }

    private void send(Exchange<WriteFilesResponse> call, WriteFilesRequest.Builder message)
            throws Failure {
        // once the daemon has refused, its answer says why
        open = open && call.send(message.build());
    }

    private void walk(Exchange<WriteFilesResponse> call, Path path, String below)
            throws Failure, IOException {
        if (!open) {
            return;
        }
        Map<String, Object> attributes;
        try {
            attributes = Files.readAttributes(path, ATTRIBUTES, LinkOption.NOFOLLOW_LINKS);
        } catch (NoSuchFileException e) {
            if (below.isEmpty()) {
                throw e;
            }
            // it has gone since its directory was read
            return;
        }
        var entry = entry(attributes, below);
        if (Files.isSymbolicLink(path)) {
            entry(
                    call,
                    entry.setKind(FileEntry.Kind.SYMLINK)
                            .setTarget(Files.readSymbolicLink(path).toString()));
        } else if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            entry(call, entry.setKind(FileEntry.Kind.DIRECTORY));
            try (var list = Files.list(path)) {
                for (var child : list.sorted().toList()) {
                    var name = child.getFileName().toString();
                    walk(call, child, below.isEmpty() ? name : below + "/" + name);
                }
            }
        } else if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            file(call, path, entry, attributes);
        } else if ((number(attributes, "mode") & KIND) == FIFO) {
            entry(call, entry.setKind(FileEntry.Kind.FIFO));
        } else {
            session.stdio().tell("podvm: left out, since it is no file: " + path);
        }
    }

    private FileEntry.Builder entry(Map<String, Object> attributes, String below) {
        var modified = (FileTime) attribute(attributes, "lastModifiedTime");
        return FileEntry.newBuilder()
                .setPath(below)
                .setMode(number(attributes, "mode") & 07777)
                .setUid(owners ? number(attributes, "uid") : 0)
                .setGid(owners ? number(attributes, "gid") : 0)
                .setModifiedUnixNs(modified.to(TimeUnit.NANOSECONDS));
    }

    private static Object attribute(Map<String, Object> attributes, String name) {
        return Objects.requireNonNull(attributes.get(name), name);
    }

    private static int number(Map<String, Object> attributes, String name) {
        return (Integer) attribute(attributes, name);
    }

    private void entry(Exchange<WriteFilesResponse> call, FileEntry.Builder entry) throws Failure {
        send(call, WriteFilesRequest.newBuilder().setPiece(FilePiece.newBuilder().setEntry(entry)));
    }

    private void file(
            Exchange<WriteFilesResponse> call,
            Path path,
            FileEntry.Builder entry,
            Map<String, Object> attributes)
            throws Failure, IOException {
        if (number(attributes, "nlink") > 1) {
            var key = attribute(attributes, "dev") + ":" + attribute(attributes, "ino");
            var first = links.putIfAbsent(key, entry.getPath());
            if (first != null) {
                entry(call, entry.setKind(FileEntry.Kind.HARD_LINK).setTarget(first));
                return;
            }
        }
        try (var in = Files.newInputStream(path)) {
            entry(
                    call,
                    entry.setKind(FileEntry.Kind.FILE)
                            .setSize((Long) attribute(attributes, "size")));
            for (var data = in.readNBytes(CHUNK);
                    open && data.length > 0;
                    data = in.readNBytes(CHUNK)) {
                var piece = FilePiece.newBuilder().setData(UnsafeByteOperations.unsafeWrap(data));
                send(call, WriteFilesRequest.newBuilder().setPiece(piece));
                bytes += data.length;
                progress.at("files", bytes);
            }
        }
    }
}
