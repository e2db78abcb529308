package podvm.cri;

import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import podvm.cri.streaming.StreamServer;
import podvm.engine.Images;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.Sandboxes;

/** Serves CRI v1 on a Unix socket until it is closed. */
public final class CriServer implements AutoCloseable {
    /** As much as the kubelet sends at most. */
    private static final int LARGEST_MESSAGE = 16 << 20;

    private final Server server;
    private final EventLoopGroup loop;
    private final ExecutorService threads;
    private final Path socket;

    private CriServer(Server server, EventLoopGroup loop, ExecutorService threads, Path socket) {
        this.server = server;
        this.loop = loop;
        this.threads = threads;
        this.socket = socket;
    }

    /**
     * @param group whose members may use the socket; empty: its owner alone
     * @param notes hears of fields that have no effect
     */
    public static CriServer start(
            Path path,
            Optional<String> group,
            Sandboxes sandboxes,
            Images images,
            StreamServer streams,
            NodeInfo node,
            Consumer<String> notes)
            throws PodException {
        var socket = new CriSocket(path, group);
        socket.prepare();
        var fields = new Fields(notes);
        var loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        var threads = Executors.newVirtualThreadPerTaskExecutor();
        var server =
                NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(path))
                        .channelType(NioServerDomainSocketChannel.class)
                        .bossEventLoopGroup(loop)
                        .workerEventLoopGroup(loop)
                        // gRPC asks every connection for it; a Unix socket only warns
                        .withChildOption(ChannelOption.SO_KEEPALIVE, null)
                        .executor(threads)
                        .callExecutor(new AtOnce(threads))
                        .maxInboundMessageSize(LARGEST_MESSAGE)
                        .addService(new RuntimeCalls(sandboxes, streams, fields, node))
                        .addService(new ImageCalls(images, fields, node))
                        .build();
        var cri = new CriServer(server, loop, threads, path);
        try {
            server.start();
            socket.protect();
            return cri;
        } catch (IOException e) {
            cri.close();
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "cannot serve CRI at " + path + ": " + e.getMessage(),
                    "choose another cri.socket",
                    e);
        } catch (PodException e) {
            cri.close();
            throw e;
        }
    }

    /** Cancels open calls: the kubelet asks again. */
    @Override
    public void close() {
        server.shutdownNow();
        try {
            var _ = server.awaitTermination(2, TimeUnit.SECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS).awaitUninterruptibly(2, TimeUnit.SECONDS);
        threads.shutdown();
        try {
            Files.deleteIfExists(socket);
        } catch (IOException _) {
            // the next start removes a socket that nobody answers
        }
    }
}
