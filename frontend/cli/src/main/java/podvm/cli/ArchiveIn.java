package podvm.cli;

import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Set;
import podvm.proto.node.v1.FileEntry;
import podvm.proto.node.v1.WriteFilesStart;

/** A tar archive on standard input, unpacked into a directory of a container. */
final class ArchiveIn {
    private static final int DIRECTORY_MODE = 0755;

    private final Session session;
    private final Transfers progress;
    private final boolean owners;
    private final Set<String> directories = new HashSet<>();

    ArchiveIn(Session session, Transfers progress, boolean owners) {
        this.session = session;
        this.progress = progress;
        this.owners = owners;
    }

    void run(Cp.Remote to) throws Failure, IOException {
        var begin =
                WriteFilesStart.newBuilder()
                        .setPod(to.pod())
                        .setContainer(to.container())
                        // only a directory that is there
                        .setPath(to.path().endsWith("/") ? to.path() : to.path() + "/")
                        .setContents(true);
        try (var upload = new Upload(session, progress)) {
            upload.start(begin);
            var archive = new TarReader(session.stdio().in());
            for (var next = archive.next();
                    upload.open() && next.isPresent();
                    next = archive.next()) {
                entry(upload, archive, next.get());
            }
            upload.end();
        }
    }

    private void entry(Upload upload, TarReader archive, TarHeader header)
            throws Failure, IOException {
        var path = inside(header.name());
        if (path.isEmpty()) {
            // the directory that it goes into keeps what it has
            return;
        }
        parents(upload, path);
        var entry =
                FileEntry.newBuilder()
                        .setPath(path)
                        .setMode(header.mode())
                        .setUid(owners ? header.uid() : 0)
                        .setGid(owners ? header.gid() : 0)
                        .setModifiedUnixNs(header.modifiedNanos())
                        .setSize(header.size());
        switch (header.type()) {
            case '0' -> {
                upload.entry(entry.setKind(FileEntry.Kind.FILE));
                content(upload, archive, header);
            }
            case '5' -> {
                directories.add(path);
                upload.entry(entry.setKind(FileEntry.Kind.DIRECTORY));
            }
            case '2' ->
                    upload.entry(entry.setKind(FileEntry.Kind.SYMLINK).setTarget(header.target()));
            case '1' ->
                    upload.entry(
                            entry.setKind(FileEntry.Kind.HARD_LINK)
                                    .setTarget(inside(header.target())));
            case '6' -> upload.entry(entry.setKind(FileEntry.Kind.FIFO));
            default -> session.stdio().tell("podvm: left out, since it is no file: " + path);
        }
    }

    /** Without "./", doubled slashes and what is absolute; nothing goes up. */
    private static String inside(String name) throws Failure {
        var parts = new ArrayList<String>();
        for (var part : name.split("/")) {
            if (part.equals("..")) {
                throw Failure.of(
                        "the archive has a file that leads elsewhere: "
                                + name.replaceAll("\\p{Cc}", "?"),
                        "nothing after it was copied");
            }
            if (!part.isEmpty() && !part.equals(".")) {
                parts.add(part);
            }
        }
        return String.join("/", parts);
    }

    /** Archives need not name the directories of their files. */
    private void parents(Upload upload, String path) throws Failure {
        for (int at = path.indexOf('/'); at > 0; at = path.indexOf('/', at + 1)) {
            var parent = path.substring(0, at);
            if (directories.add(parent)) {
                upload.entry(
                        FileEntry.newBuilder()
                                .setPath(parent)
                                .setKind(FileEntry.Kind.DIRECTORY)
                                .setMode(DIRECTORY_MODE)
                                .setModifiedUnixNs(System.currentTimeMillis() * 1_000_000));
            }
        }
    }

    private void content(Upload upload, TarReader archive, TarHeader header)
            throws Failure, IOException {
        for (long left = header.size(); left > 0; ) {
            var data = session.stdio().in().readNBytes((int) Math.min(Upload.CHUNK, left));
            if (data.length == 0) {
                throw new EOFException("the archive ends within " + header.name());
            }
            left -= data.length;
            upload.data(data);
            if (!upload.open()) {
                return;
            }
        }
        archive.skipPadding(header.size());
    }
}
