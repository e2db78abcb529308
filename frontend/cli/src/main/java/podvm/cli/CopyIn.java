package podvm.cli;

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
import podvm.proto.node.v1.WriteFilesStart;

/** Files on their way from here into a container. */
final class CopyIn {
    private static final int KIND = 0170000;
    private static final int FIFO = 0010000;
    private static final String ATTRIBUTES =
            "unix:mode,uid,gid,ino,dev,nlink,size,lastModifiedTime";

    private final Session session;
    private final Transfers progress;
    private final boolean owners;

    /** Files with several names, and the one under which each was sent. */
    private final Map<String, String> links = new HashMap<>();

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
        try (var upload = new Upload(session, progress)) {
            upload.start(begin);
            walk(upload, start, "");
            upload.end();
        }
    }

    private void walk(Upload upload, Path path, String below) throws Failure, IOException {
        if (!upload.open()) {
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
            upload.entry(
                    entry.setKind(FileEntry.Kind.SYMLINK)
                            .setTarget(Files.readSymbolicLink(path).toString()));
        } else if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            upload.entry(entry.setKind(FileEntry.Kind.DIRECTORY));
            try (var list = Files.list(path)) {
                for (var child : list.sorted().toList()) {
                    var name = child.getFileName().toString();
                    walk(upload, child, below.isEmpty() ? name : below + "/" + name);
                }
            }
        } else if (Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
            file(upload, path, entry, attributes);
        } else if ((number(attributes, "mode") & KIND) == FIFO) {
            upload.entry(entry.setKind(FileEntry.Kind.FIFO));
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

    private void file(
            Upload upload, Path path, FileEntry.Builder entry, Map<String, Object> attributes)
            throws Failure, IOException {
        if (number(attributes, "nlink") > 1) {
            var key = attribute(attributes, "dev") + ":" + attribute(attributes, "ino");
            var first = links.putIfAbsent(key, entry.getPath());
            if (first != null) {
                upload.entry(entry.setKind(FileEntry.Kind.HARD_LINK).setTarget(first));
                return;
            }
        }
        try (var in = Files.newInputStream(path)) {
            upload.entry(
                    entry.setKind(FileEntry.Kind.FILE)
                            .setSize((Long) attribute(attributes, "size")));
            for (var data = in.readNBytes(Upload.CHUNK);
                    upload.open() && data.length > 0;
                    data = in.readNBytes(Upload.CHUNK)) {
                upload.data(data);
            }
        }
    }
}
