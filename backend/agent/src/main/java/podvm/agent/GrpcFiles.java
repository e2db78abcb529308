package podvm.agent;

import java.io.IOException;
import java.time.Duration;
import podvm.engine.ContainerFiles;
import podvm.engine.ContainerId;
import podvm.engine.PodException;
import podvm.proto.agent.v1.AgentGrpc;
import podvm.proto.agent.v1.ReadFilesRequest;
import podvm.proto.agent.v1.WriteFilesRequest;
import podvm.proto.agent.v1.WriteFilesStart;

/** A container's files over one connection. */
record GrpcFiles(Connection connection, ContainerId container) implements ContainerFiles {
    /** A guest that reads a disk, or waits for a share, tells more within that. */
    private static final Duration STALLED = Duration.ofSeconds(60);

    @Override
    public void read(String path, Sink sink) throws PodException, InterruptedException {
        var what = "read files of container " + container.brief();
        try (var call = connection.converse(AgentGrpc.getReadFilesMethod(), what)) {
            call.sendNow(
                    ReadFilesRequest.newBuilder()
                            .setContainerId(container.text())
                            .setPath(path)
                            .build());
            call.halfClose();
            for (var next = call.receive(STALLED); next != null; next = call.receive(STALLED)) {
                var piece = FilePieces.read(next);
                if (piece.isEmpty()) {
                    throw connection.peer().corrupt(what, "a file that cannot be one");
                }
                sink.piece(piece.get());
            }
        } catch (IOException e) {
            // the reader went away
        }
    }

    @Override
    public void write(Target target, Source source) throws PodException, InterruptedException {
        var what = "write files of container " + container.brief();
        try (var call = connection.converse(AgentGrpc.getWriteFilesMethod(), what)) {
            var start =
                    WriteFilesStart.newBuilder()
                            .setContainerId(container.text())
                            .setPath(target.path())
                            .setName(target.name())
                            .setDirectory(target.directory())
                            .setContents(target.contents());
            call.sendNow(WriteFilesRequest.newBuilder().setStart(start).build());
            for (var next = source.next(); next.isPresent(); next = source.next()) {
                for (var piece : FilePieces.write(next.get())) {
                    call.send(WriteFilesRequest.newBuilder().setPiece(piece).build());
                }
            }
            call.halfClose();
            if (call.receive() == null) {
                throw connection.peer().corrupt(what, "no word of the end");
            }
        }
    }
}
