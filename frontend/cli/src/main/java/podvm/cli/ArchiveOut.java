package podvm.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Optional;
import podvm.proto.node.v1.FileEntry;
import podvm.proto.node.v1.FilePiece;
import podvm.proto.node.v1.ReadFilesRequest;

/** Files of a container as a tar archive on standard output. */
final class ArchiveOut {
    private static final int END_BLOCKS = 2;

    private final Session session;

    ArchiveOut(Session session) {
        this.session = session;
    }

    void run(Cp.Remote from) throws Failure, IOException {
        if (session.stdio().outIsTerminal()) {
            throw Failure.usage(
                    "an archive is not written to a terminal", "send it to a file or to tar t");
        }
        var request =
                ReadFilesRequest.newBuilder()
                        .setPod(from.pod())
                        .setContainer(from.container())
                        .setPath(from.path())
                        .build();
        var name = Cp.isContents(from.path()) ? "." : Cp.name(from.path());
        var top = name.isEmpty() ? "." : name;
        var out = session.stdio().out();
        try (var pieces = session.node().stream("ReadFiles", request, FilePiece.parser())) {
            var next = pieces.next();
            if (next.isEmpty() || !next.get().hasEntry()) {
                throw Node.nonsense("ReadFiles");
            }
            while (next.isPresent()) {
                next = entry(top, next.get().getEntry(), pieces, out);
            }
        }
        out.write(new byte[TarHeader.BLOCK * END_BLOCKS]);
        session.stdio().flush();
    }

    /** Returns the first piece after it. */
    private Optional<FilePiece> entry(
            String top, FileEntry entry, Exchange<FilePiece> pieces, OutputStream out)
            throws Failure, IOException {
        var name = entry.getPath().isEmpty() ? top : top + "/" + entry.getPath();
        switch (entry.getKind()) {
            case FILE -> {
                header(name, '0', "", entry, entry.getSize()).write(out);
                return content(name, entry.getSize(), pieces, out);
            }
            case DIRECTORY -> header(name + "/", '5', "", entry, 0).write(out);
            case SYMLINK -> header(name, '2', entry.getTarget(), entry, 0).write(out);
            case HARD_LINK -> header(name, '1', top + "/" + entry.getTarget(), entry, 0).write(out);
            case FIFO -> header(name, '6', "", entry, 0).write(out);
            case OTHER, KIND_UNSPECIFIED, UNRECOGNIZED ->
                    session.stdio()
                            .tell(
                                    "podvm: left out, since it is no file: "
                                            + name.replaceAll("\\p{Cc}", "?"));
        }
        return pieces.next();
    }

    private static TarHeader header(
            String name, char type, String target, FileEntry entry, long size) {
        return new TarHeader(
                name,
                type,
                target,
                entry.getMode() & 07777,
                entry.getUid(),
                entry.getGid(),
                size,
                entry.getModifiedUnixNs());
    }

    /** The archive has said how long it is: one that has changed meanwhile is cut or filled. */
    private Optional<FilePiece> content(
            String name, long size, Exchange<FilePiece> pieces, OutputStream out)
            throws Failure, IOException {
        long left = size;
        var next = pieces.next();
        for (; next.isPresent() && next.get().hasData(); next = pieces.next()) {
            var data = next.get().getData();
            var kept = data.substring(0, (int) Math.min(left, data.size()));
            kept.writeTo(out);
            left -= kept.size();
        }
        if (left > 0) {
            session.stdio()
                    .tell(
                            "podvm: grew shorter while it was copied: "
                                    + name.replaceAll("\\p{Cc}", "?"));
        }
        for (; left > 0; left -= Math.min(left, TarHeader.BLOCK)) {
            out.write(new byte[(int) Math.min(left, TarHeader.BLOCK)]);
        }
        TarHeader.pad(out, size);
        return next;
    }
}
