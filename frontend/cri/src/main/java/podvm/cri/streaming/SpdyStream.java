package podvm.cri.streaming;

import io.netty.buffer.Unpooled;
import io.netty.handler.codec.spdy.DefaultSpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyHeaders;
import java.io.IOException;

/** One stream of a SPDY connection: two directions that end on their own. */
final class SpdyStream {
    private final int id;
    private final SpdyHeaders headers;
    private final Wire wire;
    private final Inflow in;
    private boolean ended;

    SpdyStream(int id, SpdyHeaders headers, Wire wire, Inflow in) {
        this.id = id;
        this.headers = headers;
        this.wire = wire;
        this.in = in;
    }

    int id() {
        return id;
    }

    String header(String name) {
        var value = headers.getAsString(name);
        return value == null ? "" : value;
    }

    /** "stdin", "error", "data", … */
    String type() {
        return header("streamtype");
    }

    Inflow in() {
        return in;
    }

    void write(byte[] data) throws IOException, InterruptedException {
        for (int from = 0; from < data.length; from += Wire.PIECE) {
            int length = Math.min(Wire.PIECE, data.length - from);
            wire.send(new DefaultSpdyDataFrame(id, Unpooled.wrappedBuffer(data, from, length)));
        }
    }

    /** Nothing more is written. */
    void end() {
        synchronized (this) {
            if (ended) {
                return;
            }
            ended = true;
        }
        var last = new DefaultSpdyDataFrame(id);
        last.setLast(true);
        wire.post(last);
    }
}
