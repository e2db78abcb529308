package podvm.agent;

import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelException;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.io.IOException;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import podvm.engine.Deadline;

/** The stream to one agent, ready for HTTP/2: connected and past the handshake. */
final class ByteStream implements AutoCloseable {
    private final SocketChannel socket;
    private final byte[] begin;
    private final AtomicBoolean taken = new AtomicBoolean();

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
            socket.close();
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

    /** Netty closes what it has taken. */
    @Override
    public void close() throws IOException {
        if (taken.compareAndSet(false, true)) {
            socket.close();
        }
    }

    /** Tells gRPC, which means to connect, that this is done, and hands on what came already. */
    private final class Connected extends ChannelDuplexHandler {
        @Override
        public void channelActive(ChannelHandlerContext context) {
            context.fireChannelActive();
            if (begin.length > 0) {
                context.fireChannelRead(Unpooled.wrappedBuffer(begin));
                context.fireChannelReadComplete();
            }
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
