package podvm.agent;

import com.google.protobuf.UnsafeByteOperations;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import podvm.engine.ContainerFiles.Data;
import podvm.engine.ContainerFiles.Entry;
import podvm.engine.ContainerFiles.Piece;
import podvm.proto.agent.v1.FileEntry;
import podvm.proto.agent.v1.FilePiece;

/** Files on the wire. What a guest tells of them is not to lead anybody to another place. */
final class FilePieces {
    private static final int LARGEST = 32 << 10;
    private static final int LONGEST_PATH = 4096;
    private static final int MODE = 07777;
    private static final long NANOS = 1_000_000_000;

    private FilePieces() {}

    /** Empty where it cannot be one. */
    static Optional<Piece> read(FilePiece piece) {
        return switch (piece.getPieceCase()) {
            case DATA -> Optional.of(new Data(piece.getData().toByteArray()));
            case ENTRY -> entry(piece.getEntry());
            case PIECE_NOT_SET -> Optional.empty();
        };
    }

    private static Optional<Piece> entry(FileEntry entry) {
        var kind =
                switch (entry.getKind()) {
                    case FILE -> Entry.Kind.FILE;
                    case DIRECTORY -> Entry.Kind.DIRECTORY;
                    case SYMLINK -> Entry.Kind.SYMLINK;
                    case HARD_LINK -> Entry.Kind.HARD_LINK;
                    case FIFO -> Entry.Kind.FIFO;
                    case OTHER, KIND_UNSPECIFIED, UNRECOGNIZED -> Entry.Kind.OTHER;
                };
        boolean good =
                isBelow(entry.getPath())
                        && entry.getTarget().length() <= LONGEST_PATH
                        && entry.getTarget().indexOf(0) < 0
                        && (kind != Entry.Kind.HARD_LINK || isBelow(entry.getTarget()));
        if (!good) {
            return Optional.empty();
        }
        return Optional.of(
                new Entry(
                        entry.getPath(),
                        kind,
                        entry.getMode() & MODE,
                        entry.getUid(),
                        entry.getGid(),
                        Instant.ofEpochSecond(0, entry.getModifiedUnixNs()),
                        GuestNumbers.size(entry.getSize()),
                        entry.getTarget()));
    }

    private static boolean isBelow(String path) {
        if (path.isEmpty()) {
            return true;
        }
        if (path.length() > LONGEST_PATH || path.indexOf(0) >= 0) {
            return false;
        }
        for (var part : path.split("/", -1)) {
            if (part.isEmpty() || part.equals(".") || part.equals("..")) {
                return false;
            }
        }
        return true;
    }

    /** In messages that the agent takes. */
    static List<FilePiece> write(Piece piece) {
        return switch (piece) {
            case Entry entry -> List.of(FilePiece.newBuilder().setEntry(entry(entry)).build());
            case Data data -> data(data.bytes());
        };
    }

    private static List<FilePiece> data(byte[] bytes) {
        var pieces = new ArrayList<FilePiece>();
        for (int at = 0; at < bytes.length; at += LARGEST) {
            var part =
                    UnsafeByteOperations.unsafeWrap(
                            bytes, at, Math.min(LARGEST, bytes.length - at));
            pieces.add(FilePiece.newBuilder().setData(part).build());
        }
        return pieces;
    }

    private static FileEntry.Builder entry(Entry entry) {
        return FileEntry.newBuilder()
                .setPath(entry.path())
                .setKind(
                        switch (entry.kind()) {
                            case FILE -> FileEntry.Kind.FILE;
                            case DIRECTORY -> FileEntry.Kind.DIRECTORY;
                            case SYMLINK -> FileEntry.Kind.SYMLINK;
                            case HARD_LINK -> FileEntry.Kind.HARD_LINK;
                            case FIFO -> FileEntry.Kind.FIFO;
                            case OTHER -> FileEntry.Kind.OTHER;
                        })
                .setMode(entry.mode() & MODE)
                .setUid(entry.uid())
                .setGid(entry.gid())
                .setModifiedUnixNs(nanos(entry.modified()))
                .setSize(entry.size())
                .setTarget(entry.target());
    }

    private static long nanos(Instant time) {
        return time.getEpochSecond() * NANOS + time.getNano();
    }
}
