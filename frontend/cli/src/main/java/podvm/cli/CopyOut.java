package podvm.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import podvm.proto.node.v1.FileEntry;
import podvm.proto.node.v1.FilePiece;
import podvm.proto.node.v1.ReadFilesRequest;

/** Files on their way from a container to here. What a guest sends may be made up to do harm. */
final class CopyOut {
    private static final LinkOption[] NO_LINKS = {LinkOption.NOFOLLOW_LINKS};

    private final Session session;
    private final Transfers progress;
    private final boolean owners;
    private final List<FileEntry> directories = new ArrayList<>();
    private Path base = Path.of("");
    private long bytes;
    private int files;

    CopyOut(Session session, Transfers progress, boolean owners) {
        this.session = session;
        this.progress = progress;
        this.owners = owners;
    }

    void run(Cp.Remote from, String to) throws Failure, IOException {
        var request =
                ReadFilesRequest.newBuilder()
                        .setPod(from.pod())
                        .setContainer(from.container())
                        .setPath(from.path())
                        .build();
        try (var pieces = session.node().stream("ReadFiles", request, FilePiece.parser())) {
            var next = pieces.next();
            if (next.isEmpty() || !next.get().hasEntry()) {
                throw Node.nonsense("ReadFiles");
            }
            base = place(to, from.path(), next.get().getEntry());
            while (next.isPresent()) {
                next = entry(next.get().getEntry(), pieces);
            }
            for (var directory : directories.reversed()) {
                finish(path(directory.getPath()), directory);
            }
        } catch (Failure | IOException e) {
            if (files > 0) {
                session.stdio().tell("podvm: %d files were copied before this".formatted(files));
            }
            throw e;
        }
    }

    /** As cp finds it: in a directory that is there, else under its own name. */
    private static Path place(String to, String from, FileEntry first) throws Failure {
        var target = Path.of(to);
        boolean directory = first.getKind() == FileEntry.Kind.DIRECTORY;
        if (Files.isDirectory(target)) {
            var name = Cp.name(from);
            boolean contents = directory && (Cp.isContents(from) || name.isEmpty());
            return contents ? target : target.resolve(name);
        }
        if (directory && Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
            throw Failure.of(to + " is a file, and cannot become a directory", "name another");
        }
        var parent = target.toAbsolutePath().getParent();
        if ((!directory && to.endsWith("/")) || parent == null || !Files.isDirectory(parent)) {
            throw Failure.of("there is no directory " + (parent == null ? to : parent), "make it");
        }
        return target;
    }

    /** Where an entry is to be: all directories on the way to it are real ones, no links. */
    private Path path(String below) throws Failure {
        var at = base;
        if (below.isEmpty()) {
            return at;
        }
        var parts = below.split("/", -1);
        for (int i = 0; i < parts.length; i++) {
            if (parts[i].isEmpty() || parts[i].equals(".") || parts[i].equals("..")) {
                throw Failure.of("the pod sent a file that leads elsewhere: " + shown(below), "");
            }
            if (!Files.isDirectory(at, i == 0 ? new LinkOption[0] : NO_LINKS)) {
                throw Failure.of(
                        "the pod sent a file below what is no directory: " + shown(below), "");
            }
            at = at.resolve(parts[i]);
        }
        return at;
    }

    /** Returns the first piece after it. */
    private Optional<FilePiece> entry(FileEntry entry, Exchange<FilePiece> pieces)
            throws Failure, IOException {
        var path = path(entry.getPath());
        files++;
        switch (entry.getKind()) {
            case FILE -> {
                return file(entry, path, pieces);
            }
            case DIRECTORY -> {
                if (!Files.isDirectory(
                        path, entry.getPath().isEmpty() ? new LinkOption[0] : NO_LINKS)) {
                    Files.createDirectory(path);
                    directories.add(entry);
                }
            }
            case SYMLINK -> {
                clear(path);
                Files.createSymbolicLink(path, Path.of(entry.getTarget()));
            }
            case HARD_LINK -> {
                var first = path(entry.getTarget());
                clear(path);
                Files.createLink(path, first);
            }
            case FIFO, OTHER, KIND_UNSPECIFIED, UNRECOGNIZED -> {
                files--;
                session.stdio()
                        .tell("podvm: left out, since it is no file: " + shown(entry.getPath()));
            }
        }
        return pieces.next();
    }

    /** What a guest calls its files is not to steer a terminal. */
    private static String shown(String path) {
        return path.replaceAll("\\p{Cc}", "?");
    }

    private Optional<FilePiece> file(FileEntry entry, Path path, Exchange<FilePiece> pieces)
            throws Failure, IOException {
        Optional<FilePiece> next;
        try (var out = open(path, entry)) {
            for (next = pieces.next();
                    next.isPresent() && next.get().hasData();
                    next = pieces.next()) {
                next.get().getData().writeTo(out);
                bytes += next.get().getData().size();
                progress.at("files", bytes);
            }
        } catch (Failure e) {
            session.stdio().tell("podvm: " + shown(path.toString()) + " is there in part");
            throw e;
        }
        finish(path, entry);
        return next;
    }

    private static OutputStream open(Path path, FileEntry entry) throws IOException {
        // a link that is there may lead anywhere, but the one that was asked for is its user's own
        if (!entry.getPath().isEmpty() || Files.isSymbolicLink(path)) {
            clear(path);
        }
        return Files.newOutputStream(path);
    }

    private static void clear(Path path) throws IOException {
        if (Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS)) {
            throw new FileAlreadyExistsException(path.toString(), null, "is a directory");
        }
        Files.deleteIfExists(path);
    }

    private void finish(Path path, FileEntry entry) throws IOException {
        if (owners) {
            Files.setAttribute(path, "unix:uid", entry.getUid(), LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:gid", entry.getGid(), LinkOption.NOFOLLOW_LINKS);
        }
        Files.setPosixFilePermissions(path, permissions(entry.getMode()));
        var modified = FileTime.from(entry.getModifiedUnixNs(), TimeUnit.NANOSECONDS);
        Files.setLastModifiedTime(path, modified);
    }

    /** Without set-uid and its like: whoever runs the file here is somebody else. */
    private static Set<PosixFilePermission> permissions(int mode) {
        var all = PosixFilePermission.values();
        var set = EnumSet.noneOf(PosixFilePermission.class);
        for (int i = 0; i < all.length; i++) {
            if ((mode & (0400 >> i)) != 0) {
                set.add(all[i]);
            }
        }
        return set;
    }
}
