package podvm.cri.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPipeline;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.websocketx.WebSocketFrameAggregator;
import io.netty.handler.codec.http.websocketx.WebSocketServerHandshakerFactory;
import io.netty.handler.codec.spdy.SpdyFrameCodec;
import io.netty.handler.codec.spdy.SpdyVersion;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.handler.timeout.ReadTimeoutHandler;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** The one HTTP request of a connection: a token, and the protocol that follows. */
final class Upgrade extends SimpleChannelInboundHandler<FullHttpRequest> {
    private static final String SPDY = "SPDY/3.1";
    private static final String STREAM_VERSION = "X-Stream-Protocol-Version";
    private static final String PROCESS_VERSION = "v4.channel.k8s.io";
    private static final String PORTS_VERSION = "portforward.k8s.io";
    private static final int LARGEST_MESSAGE = 1 << 20;

    private final Tokens tokens;
    private final Patience patience;

    Upgrade(Tokens tokens, Patience patience) {
        this.tokens = tokens;
        this.patience = patience;
    }

    @Override
    protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
        var upgrade = request.headers().get(HttpHeaderNames.UPGRADE, "");
        boolean webSocket = upgrade.equalsIgnoreCase("websocket");
        if (!webSocket && !upgrade.equalsIgnoreCase(SPDY)) {
            refuse(
                    context,
                    HttpResponseStatus.BAD_REQUEST,
                    "this address serves streams: ask for an upgrade to SPDY/3.1 or websocket");
            return;
        }
        var path = request.uri().split("\\?", 2)[0];
        var destination = tokens.take(path.substring(path.lastIndexOf('/') + 1));
        if (destination.isEmpty()) {
            refuse(
                    context,
                    HttpResponseStatus.NOT_FOUND,
                    "no such stream: a token serves once, and for a minute");
            return;
        }
        if (webSocket) {
            webSocket(context, request, destination.get());
        } else {
            spdy(context, request, destination.get());
        }
    }

    private void spdy(
            ChannelHandlerContext context, FullHttpRequest request, Destination destination) {
        var ours =
                switch (destination) {
                    case Destination.Process _ -> PROCESS_VERSION;
                    case Destination.Ports _ -> PORTS_VERSION;
                };
        if (!listed(request.headers().getAll(STREAM_VERSION)).contains(ours)) {
            refuse(
                    context,
                    HttpResponseStatus.FORBIDDEN,
                    "the client does not speak " + ours + ", which this server does");
            return;
        }
        var response =
                new DefaultFullHttpResponse(
                        HttpVersion.HTTP_1_1, HttpResponseStatus.SWITCHING_PROTOCOLS);
        response.headers()
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.UPGRADE)
                .set(HttpHeaderNames.UPGRADE, SPDY)
                .set(STREAM_VERSION, ours);
        context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE_ON_FAILURE);
        var pipeline = context.pipeline();
        pipeline.remove(HttpObjectAggregator.class);
        addIdleness(pipeline);
        addSpdy(pipeline, destination);
        pipeline.remove(ReadTimeoutHandler.class);
        pipeline.remove(Upgrade.class);
        // last: it hands on what it has read already
        pipeline.remove(HttpServerCodec.class);
    }

    private void addSpdy(ChannelPipeline pipeline, Destination destination) {
        pipeline.addLast(new ReadGate(), new SpdyFrameCodec(SpdyVersion.SPDY_3_1));
        pipeline.addLast(
                new SpdyConnection(
                        pipeline.channel(),
                        connection ->
                                switch (destination) {
                                    case Destination.Process process ->
                                            new SpdyProcess(process, connection, patience);
                                    case Destination.Ports ports ->
                                            new SpdyPorts(ports, connection);
                                }));
    }

    private void webSocket(
            ChannelHandlerContext context, FullHttpRequest request, Destination destination) {
        var ours =
                switch (destination) {
                    case Destination.Process _ -> List.of(WebSocketProcess.V5, WebSocketProcess.V4);
                    case Destination.Ports _ -> List.of(WebSocketTunnel.PROTOCOL);
                };
        var theirs = listed(request.headers().getAll(HttpHeaderNames.SEC_WEBSOCKET_PROTOCOL));
        Optional<String> protocol = ours.stream().filter(theirs::contains).findFirst();
        if (protocol.isEmpty()) {
            refuse(
                    context,
                    HttpResponseStatus.FORBIDDEN,
                    "the client speaks none of " + String.join(", ", ours));
            return;
        }
        var handshaker =
                new WebSocketServerHandshakerFactory(
                                request.uri(), protocol.get(), false, LARGEST_MESSAGE)
                        .newHandshaker(request);
        if (handshaker == null) {
            var _ =
                    WebSocketServerHandshakerFactory.sendUnsupportedVersionResponse(
                            context.channel());
            return;
        }
        handshaker
                .handshake(context.channel(), request)
                .addListener(done -> {
                    if (done.isSuccess()) {
                        var pipeline = context.pipeline();
                        addIdleness(pipeline);
                        addWebSocket(pipeline, protocol.get(), destination);
                        pipeline.remove(ReadTimeoutHandler.class);
                        pipeline.remove(Upgrade.class);
                    } else {
                        var _ = context.close();
                    }
                });
    }

    private void addWebSocket(ChannelPipeline pipeline, String protocol, Destination destination) {
        switch (destination) {
            case Destination.Process process ->
                    pipeline.addLast(
                            new WebSocketFrameAggregator(LARGEST_MESSAGE),
                            new WebSocketProcess(process, protocol, pipeline.channel()));
            case Destination.Ports _ -> {
                pipeline.addLast(new WebSocketTunnel());
                addSpdy(pipeline, destination);
            }
        }
    }

    /** A client that has stalled, or gone without a word, holds a process and its streams. */
    private void addIdleness(ChannelPipeline pipeline) {
        long idle = patience.idle().toMillis();
        pipeline.addLast(
                new IdleStateHandler(0, 0, idle, TimeUnit.MILLISECONDS) {
                    @Override
                    protected void channelIdle(
                            ChannelHandlerContext context, IdleStateEvent event) {
                        var _ = context.close();
                    }
                });
    }

    /** The values of a header that may be repeated, and have several in each. */
    private static List<String> listed(List<String> values) {
        return values.stream()
                .flatMap(value -> Arrays.stream(value.split(",")))
                .map(String::strip)
                .toList();
    }

    private static void refuse(
            ChannelHandlerContext context, HttpResponseStatus status, String message) {
        var response =
                new DefaultFullHttpResponse(
                        HttpVersion.HTTP_1_1, status, Unpooled.copiedBuffer(message + "\n", UTF_8));
        response.headers()
                .set(HttpHeaderNames.CONTENT_TYPE, "text/plain; charset=utf-8")
                .set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE)
                .set(HttpHeaderNames.CONTENT_LENGTH, response.content().readableBytes());
        context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        var _ = context.close();
    }
}
