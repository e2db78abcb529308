package podvm.cli;

import com.google.protobuf.UnsafeByteOperations;
import podvm.proto.node.v1.FileEntry;
import podvm.proto.node.v1.FilePiece;
import podvm.proto.node.v1.WriteFilesRequest;
import podvm.proto.node.v1.WriteFilesResponse;
import podvm.proto.node.v1.WriteFilesStart;

/** Entries and bytes of files on their way into a container. */
final class Upload implements AutoCloseable {
    /** What a message carries of a file. */
    static final int CHUNK = 32 << 10;

    private final Exchange<WriteFilesResponse> call;
    private final Transfers progress;
    private long bytes;
    private boolean open = true;

    Upload(Session session, Transfers progress) throws Failure {
        this.progress = progress;
        call = session.node().exchange("WriteFiles", WriteFilesResponse.parser());
    }

    void start(WriteFilesStart.Builder start) throws Failure {
        send(WriteFilesRequest.newBuilder().setStart(start));
    }

    /** Not once the daemon has refused; {@link #end} tells why. */
    boolean open() {
        return open;
    }

    void entry(FileEntry.Builder entry) throws Failure {
        send(WriteFilesRequest.newBuilder().setPiece(FilePiece.newBuilder().setEntry(entry)));
    }

    /** The next bytes of the file that was told of last; takes them over. */
    void data(byte[] data) throws Failure {
        var piece = FilePiece.newBuilder().setData(UnsafeByteOperations.unsafeWrap(data));
        send(WriteFilesRequest.newBuilder().setPiece(piece));
        bytes += data.length;
        progress.at("files", bytes);
    }

    /** Returns when all is written. */
    void end() throws Failure {
        send(WriteFilesRequest.newBuilder().setEnd(true));
        if (open) {
            call.endInput();
        }
        if (call.next().isEmpty()) {
            throw Node.nonsense("WriteFiles");
        }
    }

    private void send(WriteFilesRequest.Builder message) throws Failure {
        open = open && call.send(message.build());
    }

    @Override
    public void close() {
        call.close();
    }
}
