package podvm.node;

import static podvm.engine.PodException.Kind.INVALID;

import com.google.protobuf.UnsafeByteOperations;
import java.util.Optional;
import podvm.engine.ContainerFiles.Data;
import podvm.engine.ContainerFiles.Entry;
import podvm.engine.ContainerFiles.Piece;
import podvm.engine.ContainerFiles.Target;
import podvm.engine.PodException;
import podvm.engine.Pods;
import podvm.proto.node.v1.FileEntry;
import podvm.proto.node.v1.FilePiece;
import podvm.proto.node.v1.ReadFilesRequest;
import podvm.proto.node.v1.WriteFilesRequest;
import podvm.proto.node.v1.WriteFilesResponse;

/** Files of containers, to and from a client. */
final class FileCalls {
    private FileCalls() {}

    static void read(Pods pods, ReadFilesRequest request, Outlet<FilePiece> out)
            throws PodException, InterruptedException {
        var pod = pods.resolve(request.getPod());
        var container = Optional.of(request.getContainer()).filter(name -> !name.isEmpty());
        pods.files(pod, container).read(request.getPath(), piece -> out.send(message(piece)));
    }

    static WriteFilesResponse write(Pods pods, Inlet<WriteFilesRequest> in)
            throws PodException, InterruptedException {
        var first = in.take().filter(WriteFilesRequest::hasStart);
        if (first.isEmpty()) {
            throw new PodException(INVALID, "a copy did not begin with its start message", "");
        }
        var start = first.get().getStart();
        var container = Optional.of(start.getContainer()).filter(name -> !name.isEmpty());
        var target =
                new Target(
                        start.getPath(),
                        start.getName(),
                        start.getDirectory(),
                        start.getContents());
        pods.files(pods.resolve(start.getPod()), container).write(target, () -> next(in));
        return WriteFilesResponse.getDefaultInstance();
    }

    private static Optional<Piece> next(Inlet<WriteFilesRequest> in)
            throws PodException, InterruptedException {
        var next = in.take();
        if (next.isPresent() && next.get().getEnd()) {
            return Optional.empty();
        }
        if (next.isEmpty() || !next.get().hasPiece()) {
            throw new PodException(INVALID, "the copy was broken off by the client", "");
        }
        return Optional.of(piece(next.get().getPiece()));
    }

    private static Piece piece(FilePiece piece) throws PodException {
        return switch (piece.getPieceCase()) {
            case DATA -> new Data(piece.getData().toByteArray());
            case ENTRY -> entry(piece.getEntry());
            case PIECE_NOT_SET ->
                    throw new PodException(
                            INVALID, "a piece of a copy is neither file nor data", "");
        };
    }

    private static Entry entry(FileEntry entry) throws PodException {
        var kind =
                switch (entry.getKind()) {
                    case FILE -> Entry.Kind.FILE;
                    case DIRECTORY -> Entry.Kind.DIRECTORY;
                    case SYMLINK -> Entry.Kind.SYMLINK;
                    case HARD_LINK -> Entry.Kind.HARD_LINK;
                    case FIFO -> Entry.Kind.FIFO;
                    case OTHER, KIND_UNSPECIFIED, UNRECOGNIZED ->
                            throw new PodException(
                                    INVALID, "a file of no known kind: " + entry.getPath(), "");
                };
        return new Entry(
                entry.getPath(),
                kind,
                entry.getMode(),
                entry.getUid(),
                entry.getGid(),
                PodMessages.instant(entry.getModifiedUnixNs()),
                entry.getSize(),
                entry.getTarget());
    }

    private static FilePiece message(Piece piece) {
        return switch (piece) {
            case Data data ->
                    FilePiece.newBuilder()
                            .setData(UnsafeByteOperations.unsafeWrap(data.bytes()))
                            .build();
            case Entry entry -> FilePiece.newBuilder().setEntry(message(entry)).build();
        };
    }

    private static FileEntry message(Entry entry) {
        return FileEntry.newBuilder()
                .setPath(entry.path())
                .setKind(FileEntry.Kind.valueOf(entry.kind().name()))
                .setMode(entry.mode())
                .setUid(entry.uid())
                .setGid(entry.gid())
                .setModifiedUnixNs(PodMessages.nanos(entry.modified()))
                .setSize(entry.size())
                .setTarget(entry.target())
                .build();
    }
}
