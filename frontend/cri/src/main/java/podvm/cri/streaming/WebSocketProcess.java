package podvm.cri.streaming;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.websocketx.BinaryWebSocketFrame;
import io.netty.handler.codec.http.websocketx.CloseWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PingWebSocketFrame;
import io.netty.handler.codec.http.websocketx.PongWebSocketFrame;
import io.netty.handler.codec.http.websocketx.WebSocketCloseStatus;
import io.netty.handler.codec.http.websocketx.WebSocketFrame;
import java.io.IOException;

/**
 * A process's streams in the messages of a WebSocket: the first byte of each names its stream. All
 * streams are there from the beginning.
 */
final class WebSocketProcess extends SimpleChannelInboundHandler<WebSocketFrame> implements Client {
    static final String V5 = "v5.channel.k8s.io";
    static final String V4 = "v4.channel.k8s.io";

    private static final int STDIN = 0;
    private static final int STDOUT = 1;
    private static final int STDERR = 2;
    private static final int ERROR = 3;
    private static final int RESIZE = 4;

    /** Version 5: the second byte names the stream that ends. */
    private static final int CLOSE = 255;

    private final boolean closes;
    private final Wire wire;
    private final Inflow stdin;
    private final Inflow resizes;
    private final ProcessRun run;

    WebSocketProcess(Destination.Process destination, String protocol, Channel channel) {
        this.closes = protocol.equals(V5);
        this.wire = new Wire(channel);
        var intake = new Intake(channel);
        this.stdin = new Inflow(intake);
        this.resizes = new Inflow(intake);
        this.run = new ProcessRun(destination, this);
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        // tells clients that wait for a first message that the streams are open
        wire.post(frame(STDOUT, Unpooled.EMPTY_BUFFER));
        run.start();
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, WebSocketFrame frame) {
        switch (frame) {
            case PingWebSocketFrame ping ->
                    wire.post(new PongWebSocketFrame(ping.content().retain()));
            case PongWebSocketFrame _ -> {}
            case CloseWebSocketFrame close -> wire.closeAfter(close.retain());
            default -> message(frame.content());
        }
    }

    private void message(ByteBuf content) {
        if (!content.isReadable()) {
            return;
        }
        int stream = content.readUnsignedByte();
        switch (stream) {
            case STDIN -> stdin.add(ByteBufUtil.getBytes(content));
            case RESIZE -> resizes.add(ByteBufUtil.getBytes(content));
            case CLOSE -> {
                if (closes && content.isReadable() && content.readUnsignedByte() == STDIN) {
                    stdin.end();
                }
            }
            default -> {
                // streams that only lead to the client
            }
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        wire.wake();
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        stdin.end();
        resizes.end();
        wire.wake();
        run.cancel();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        var _ = context.close();
    }

    @Override
    public Inflow stdin() {
        return stdin;
    }

    @Override
    public Inflow resizes() {
        return resizes;
    }

    @Override
    public void stdout(byte[] data) throws IOException, InterruptedException {
        write(STDOUT, data);
    }

    @Override
    public void stderr(byte[] data) throws IOException, InterruptedException {
        write(STDERR, data);
    }

    private void write(int stream, byte[] data) throws IOException, InterruptedException {
        for (int from = 0; from < data.length; from += Wire.PIECE) {
            int length = Math.min(Wire.PIECE, data.length - from);
            wire.send(frame(stream, Unpooled.wrappedBuffer(data, from, length)));
        }
    }

    private static BinaryWebSocketFrame frame(int stream, ByteBuf data) {
        var head = Unpooled.wrappedBuffer(new byte[] {(byte) stream});
        return new BinaryWebSocketFrame(Unpooled.wrappedBuffer(head, data));
    }

    @Override
    public void finish(byte[] status) throws IOException, InterruptedException {
        write(ERROR, status);
        wire.post(new CloseWebSocketFrame(WebSocketCloseStatus.NORMAL_CLOSURE));
        wire.farewell();
    }

    @Override
    public void drop() {
        wire.close();
    }
}
