package podvm.agent;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.handler.codec.http2.Http2ConnectionHandler;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import podvm.engine.Deadline;

/** The stream to one agent, ready for HTTP/2: connected and past the handshake. */
final class ByteStream implements AutoCloseable {
    /**
     * Small answers of HTTP/2 itself, such as those to pings, wait here without limit when the
     * guest asks but does not read. Data never does: it waits for the guest's window.
     */
    private static final long MOST_UNREAD = 1 << 20;

    private final SocketChannel socket;
    private final byte[] begin;
    private final AtomicBoolean taken = new AtomicBoolean();
    private volatile @Nullable ChannelHandlerContext context;
    private volatile boolean closed;

    private ByteStream(SocketChannel socket, byte[] begin) {
        this.socket = socket;
        this.begin = begin;
    }

    static ByteStream open(Path path, SecureRandom random, Deadline deadline)
            throws IOException, InterruptedException {
        var socket = SocketChannel.open(UnixDomainSocketAddress.of(path));
        try {
            socket.configureBlocking(false);
            return new ByteStream(socket, new Handshake(socket, random).await(deadline));
        } catch (IOException | InterruptedException | RuntimeException e) {
            close(socket);
            throw e;
        }
    }

    /**
     * The stream as Netty's channel. A second call fails: gRPC must not reconnect by itself, since
     * a new connection begins with a new handshake and a new agent object.
     */
    Channel take(Runnable whenClosed) {
        if (!taken.compareAndSet(false, true)) {
            throw new ChannelException("the connection is over");
        }
        var channel = new NioDomainSocketChannel(socket);
        channel.pipeline().addLast(new Connected());
        channel.closeFuture().addListener(_ -> whenClosed.run());
        return channel;
    }

    /** Hangs up at once, whatever HTTP/2 still means to say. */
    @Override
    public void close() {
        closed = true;
        var head = context;
        if (head != null) {
            // from the first handler: the ones behind it, which would wait, are not asked
            var _ = head.close();
        } else if (taken.compareAndSet(false, true)) {
            close(socket);
        }
    }

    private static void close(SocketChannel socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // the descriptor is free all the same, and nobody waits for what was not sent
        }
    }

    /** Tells gRPC, which means to connect, that this is done, and hands on what came already. */
    private final class Connected extends ChannelDuplexHandler {
        @Override
        public void handlerAdded(ChannelHandlerContext added) {
            context = added;
            if (closed) {
                var _ = added.close();
            }
        }

        @Override
        public void channelActive(ChannelHandlerContext context) {
            context.fireChannelActive();
            if (begin.length > 0) {
                context.fireChannelRead(Unpooled.wrappedBuffer(begin));
                context.fireChannelReadComplete();
            }
        }

        @Override
        public void channelReadComplete(ChannelHandlerContext context) {
            context.fireChannelReadComplete();
            if (context.channel().bytesBeforeWritable() > MOST_UNREAD || refused(context)) {
                var _ = context.close();
            }
        }

        /** HTTP/2 has ended over what the guest sent, and would read on until that knows it. */
        private boolean refused(ChannelHandlerContext context) {
            var http2 = context.pipeline().get(Http2ConnectionHandler.class);
            return http2 != null && http2.connection().goAwaySent();
        }

        @Override
        public void connect(
                ChannelHandlerContext context,
                SocketAddress remote,
                SocketAddress local,
                ChannelPromise promise) {
            promise.setSuccess();
        }
    }
}
