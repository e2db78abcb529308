package podvm.cri.streaming;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * Serves the streams that CRI's Exec, Attach and PortForward promise, at an address of its own,
 * until it is closed. Whoever knows a token may use its stream: the address is a loopback one
 * unless somebody chose otherwise.
 */
public final class StreamServer implements AutoCloseable {
    private static final int LARGEST_REQUEST = 16 * 1024;

    private final Tokens tokens;
    private final EventLoopGroup loop;
    private final ChannelGroup clients;
    private final Channel listener;
    private final String scheme;

    private StreamServer(
            Tokens tokens,
            EventLoopGroup loop,
            ChannelGroup clients,
            Channel listener,
            String scheme) {
        this.tokens = tokens;
        this.loop = loop;
        this.clients = clients;
        this.listener = listener;
        this.scheme = scheme;
    }

    /**
     * @param port 0: any free one
     * @param notes hears of certificates that cannot be used any more
     */
    public static StreamServer start(
            InetAddress address, int port, StreamTls tls, Consumer<String> notes)
            throws PodException {
        return start(address, port, tls, notes, Patience.USUAL);
    }

    static StreamServer start(
            InetAddress address, int port, StreamTls tls, Consumer<String> notes, Patience patience)
            throws PodException {
        Optional<Identity> identity =
                switch (tls) {
                    case StreamTls.Plain _ -> Optional.empty();
                    case StreamTls.SelfSigned _ -> Optional.of(Identity.selfSigned(address));
                    case StreamTls.KeyPair files -> Optional.of(Identity.ofFiles(files, notes));
                };
        var tokens = new Tokens(System::nanoTime);
        var loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        var clients = new DefaultChannelGroup(GlobalEventExecutor.INSTANCE);
        var bound =
                new ServerBootstrap()
                        .group(loop)
                        .channel(NioServerSocketChannel.class)
                        .childHandler(new Accepted(tokens, clients, identity, patience))
                        .bind(address, port)
                        .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            var _ = loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "cannot serve streams at %s port %d: %s"
                            .formatted(address.getHostAddress(), port, bound.cause().getMessage()),
                    "choose another cri.streaming-address or cri.streaming-port",
                    bound.cause());
        }
        return new StreamServer(
                tokens, loop, clients, bound.channel(), identity.isPresent() ? "https" : "http");
    }

    /** The URL at which one client may come within a minute. */
    public String promise(String verb, Destination destination) throws PodException {
        var address = (InetSocketAddress) listener.localAddress();
        var host = address.getAddress().getHostAddress();
        return "%s://%s:%d/%s/%s"
                .formatted(
                        scheme,
                        address.getAddress() instanceof Inet6Address ? "[" + host + "]" : host,
                        address.getPort(),
                        verb,
                        tokens.add(destination));
    }

    /** Connections that are open. */
    int clients() {
        return clients.size();
    }

    /** Ends all streams. */
    @Override
    public void close() {
        listener.close().awaitUninterruptibly(1, TimeUnit.SECONDS);
        clients.close().awaitUninterruptibly(1, TimeUnit.SECONDS);
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
    }

    private static final class Accepted extends ChannelInitializer<SocketChannel> {
        private final Tokens tokens;
        private final ChannelGroup clients;
        private final Optional<Identity> identity;
        private final Patience patience;

        Accepted(
                Tokens tokens,
                ChannelGroup clients,
                Optional<Identity> identity,
                Patience patience) {
            this.tokens = tokens;
            this.clients = clients;
            this.identity = identity;
            this.patience = patience;
        }

        @Override
        protected void initChannel(SocketChannel channel) {
            clients.add(channel);
            var request = patience.request();
            if (identity.isPresent()) {
                var tls = identity.get().now().newHandler(channel.alloc());
                tls.setHandshakeTimeoutMillis(request.toMillis());
                channel.pipeline().addLast(tls);
            }
            channel.pipeline()
                    .addLast(
                            new ReadTimeoutHandler(request.toMillis(), TimeUnit.MILLISECONDS),
                            new HttpServerCodec(),
                            new HttpObjectAggregator(LARGEST_REQUEST),
                            new Upgrade(tokens, patience));
        }
    }
}
