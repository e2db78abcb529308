package podvm.cri.streaming;

import io.netty.buffer.ByteBufUtil;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.spdy.DefaultSpdyRstStreamFrame;
import io.netty.handler.codec.spdy.DefaultSpdySynReplyFrame;
import io.netty.handler.codec.spdy.SpdyDataFrame;
import io.netty.handler.codec.spdy.SpdyPingFrame;
import io.netty.handler.codec.spdy.SpdyRstStreamFrame;
import io.netty.handler.codec.spdy.SpdyStreamStatus;
import io.netty.handler.codec.spdy.SpdySynStreamFrame;
import io.netty.util.ReferenceCountUtil;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/**
 * The server's side of a SPDY/3.1 connection, as far as Kubernetes' clients use the protocol: they
 * open all streams, and keep to no window. All of it runs on the channel's event loop.
 */
final class SpdyConnection extends ChannelInboundHandlerAdapter {
    /** A port-forward opens two a connection; more at a time is no client of ours. */
    private static final int MOST_STREAMS = 2000;

    /** Hears of streams and of the connection's end; calls come on the event loop. */
    interface Streams {
        void opened(SpdyStream stream);

        void gone();
    }

    private final Map<Integer, SpdyStream> open = new HashMap<>();
    private final Channel channel;
    private final Wire wire;
    private final Intake intake;
    private final Streams streams;

    /**
     * @param streams makes what hears of this connection's streams
     */
    SpdyConnection(Channel channel, Function<SpdyConnection, Streams> streams) {
        this.channel = channel;
        this.wire = new Wire(channel);
        this.intake = new Intake(channel);
        this.streams = streams.apply(this);
    }

    Wire wire() {
        return wire;
    }

    /** One that stands for a stream that was not asked for. */
    Inflow inflow() {
        return new Inflow(intake);
    }

    /** Runs on the event loop after a while. */
    void later(Duration pause, Runnable action) {
        var _ = channel.eventLoop().schedule(action, pause.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** Both sides are done with a stream. */
    void forget(SpdyStream stream) {
        channel.eventLoop().execute(() -> open.remove(stream.id()));
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        try {
            switch (message) {
                case SpdySynStreamFrame frame -> open(frame);
                case SpdyDataFrame frame -> data(frame);
                case SpdyRstStreamFrame frame -> reset(frame.streamId());
                case SpdyPingFrame frame -> answer(frame);
                default -> {
                    // settings, windows and farewells ask for nothing
                }
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void open(SpdySynStreamFrame frame) {
        int id = frame.streamId();
        if (frame.isInvalid() || id % 2 == 0 || open.containsKey(id)) {
            refuse(id, SpdyStreamStatus.PROTOCOL_ERROR);
            return;
        }
        if (open.size() >= MOST_STREAMS) {
            refuse(id, SpdyStreamStatus.REFUSED_STREAM);
            return;
        }
        var stream = new SpdyStream(id, frame.headers(), wire, inflow());
        open.put(id, stream);
        var reply = new DefaultSpdySynReplyFrame(id);
        // Go's client waits for ever after a reply without any header
        reply.headers().set("streamtype", stream.type());
        wire.post(reply);
        if (frame.isLast()) {
            stream.in().end();
        }
        streams.opened(stream);
    }

    private void refuse(int id, SpdyStreamStatus status) {
        wire.post(new DefaultSpdyRstStreamFrame(id, status));
    }

    private void data(SpdyDataFrame frame) {
        var stream = open.get(frame.streamId());
        if (stream == null) {
            return;
        }
        stream.in().add(ByteBufUtil.getBytes(frame.content()));
        if (frame.isLast()) {
            stream.in().end();
        }
    }

    private void reset(int id) {
        var stream = open.remove(id);
        if (stream != null) {
            stream.in().end();
        }
    }

    private void answer(SpdyPingFrame frame) {
        // an even number is our own ping that comes back
        if (frame.id() % 2 != 0) {
            wire.post(frame);
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        wire.wake();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        open.values().forEach(stream -> stream.in().end());
        wire.wake();
        streams.gone();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        var _ = context.close();
    }
}
