package podvm.agent;

import java.time.Instant;
import podvm.engine.Agent.OutputSink;
import podvm.engine.Agent.OutputStreamKind;
import podvm.engine.ContainerId;
import podvm.engine.PodException;
import podvm.proto.agent.v1.OutputAck;
import podvm.proto.agent.v1.OutputChunk;
import podvm.proto.agent.v1.OutputStream;
import podvm.proto.agent.v1.ReadOutputRequest;

/** Hands a container's output to its sink, one chunk at a time and in order. */
final class OutputReader {
    /** The limit of agent.proto. */
    private static final int MAX_CHUNK = 32 << 10;

    private final Conversation<ReadOutputRequest, OutputChunk> call;
    private final Peer peer;
    private final String what;
    private final OutputSink sink;
    private final Cursor stdout = new Cursor(OutputStreamKind.STDOUT, OutputStream.STDOUT);
    private final Cursor stderr = new Cursor(OutputStreamKind.STDERR, OutputStream.STDERR);

    OutputReader(
            Conversation<ReadOutputRequest, OutputChunk> call,
            Peer peer,
            String what,
            OutputSink sink) {
        this.call = call;
        this.peer = peer;
        this.what = what;
        this.sink = sink;
    }

    void read(ContainerId container) throws PodException, InterruptedException {
        call.sendNow(ReadOutputRequest.newBuilder().setContainerId(container.text()).build());
        for (var chunk = call.receive(); chunk != null; chunk = call.receive()) {
            switch (chunk.getStream()) {
                case STDOUT -> stdout.take(chunk);
                case STDERR -> stderr.take(chunk);
                case OUTPUT_STREAM_UNSPECIFIED, UNRECOGNIZED ->
                        throw corrupt("output of a stream that does not exist");
            }
        }
    }

    private void acknowledge(OutputStreamKind kind, long offset) {
        switch (kind) {
            case STDOUT -> stdout.acknowledge(offset);
            case STDERR -> stderr.acknowledge(offset);
        }
    }

    private PodException corrupt(String detail) {
        return peer.corrupt(what, detail);
    }

    /** How far one of the streams has come. */
    private final class Cursor {
        private final OutputStreamKind kind;
        private final OutputStream wire;
        private long next = -1;
        private boolean atEnd;
        private Instant newest = Instant.MIN;
        private long acknowledged = -1;

        Cursor(OutputStreamKind kind, OutputStream wire) {
            this.kind = kind;
            this.wire = wire;
        }

        void take(OutputChunk chunk) throws PodException {
            var offset = chunk.getOffset();
            var size = chunk.getData().size();
            // the first chunk begins where an earlier connection left off
            if (offset < 0 || offset > Long.MAX_VALUE - size || (next >= 0 && offset != next)) {
                throw corrupt(
                        "%s at offset %s instead of %d"
                                .formatted(kind, Long.toUnsignedString(offset), Math.max(0, next)));
            }
            if (atEnd || size > MAX_CHUNK || chunk.getEof() != (size == 0)) {
                throw corrupt(
                        "a chunk of %s with %d bytes %s its end"
                                .formatted(kind, size, atEnd ? "after" : "before"));
            }
            next = offset + size;
            if (chunk.getEof()) {
                atEnd = true;
                sink.end(kind, OutputReader.this::acknowledge);
            } else {
                sink.chunk(
                        kind,
                        offset,
                        chunk.getData().toByteArray(),
                        later(GuestNumbers.time(chunk.getTimeUnixNs())),
                        OutputReader.this::acknowledge);
            }
        }

        /** Times increase strictly, or lines of a log could not be told apart. */
        private Instant later(Instant time) {
            newest = time.isAfter(newest) ? time : newest.plusNanos(1);
            return newest;
        }

        synchronized void acknowledge(long offset) {
            if (offset > acknowledged) {
                acknowledged = offset;
                var ack = OutputAck.newBuilder().setStream(wire).setOffset(offset);
                call.sendLatest(kind, ReadOutputRequest.newBuilder().setAck(ack).build());
            }
        }
    }
}
