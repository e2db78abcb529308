package podvm.node;

import static podvm.engine.PodException.Kind.UNAVAILABLE;

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
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import podvm.engine.PodException;

/** Serves the API on a Unix socket until it is closed. */
public final class NodeServer implements AutoCloseable {
    /** Room for a manifest of 4 MiB in its message: its own check explains what is too much. */
    private static final int LARGEST_MESSAGE = 5 << 20;

    private final Server server;
    private final EventLoopGroup loop;
    private final ExecutorService threads;
    private final Path socket;
    private final Activity activity;

    private NodeServer(
            Server server,
            EventLoopGroup loop,
            ExecutorService threads,
            Path socket,
            Activity activity) {
        this.server = server;
        this.loop = loop;
        this.threads = threads;
        this.socket = socket;
        this.activity = activity;
    }

    /** Fails with CONFLICT where another daemon answers. */
    public static NodeServer start(Path path, NodeService service) throws PodException {
        var socket = new NodeSocket(path);
        socket.prepare();
        var loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        var threads = Executors.newVirtualThreadPerTaskExecutor();
        var activity = new Activity();
        var server =
                NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(path))
                        .channelType(NioServerDomainSocketChannel.class)
                        .bossEventLoopGroup(loop)
                        .workerEventLoopGroup(loop)
                        // gRPC asks every connection for it; a Unix socket only warns
                        .withChildOption(ChannelOption.SO_KEEPALIVE, null)
                        .executor(threads)
                        .maxInboundMessageSize(LARGEST_MESSAGE)
                        .addStreamTracerFactory(activity.tracers())
                        .addService(service)
                        .build();
        var node = new NodeServer(server, loop, threads, path, activity);
        try {
            server.start();
            socket.protect();
            return node;
        } catch (IOException e) {
            node.close();
            throw new PodException(
                    UNAVAILABLE,
                    "cannot serve at " + path + ": " + e.getMessage(),
                    "check the run directory",
                    e);
        }
    }

    public Activity activity() {
        return activity;
    }

    /** Gives open calls two seconds to end. */
    @Override
    public void close() {
        server.shutdown();
        try {
            if (!server.awaitTermination(2, TimeUnit.SECONDS)) {
                server.shutdownNow();
                server.awaitTermination(2, TimeUnit.SECONDS);
            }
        } catch (InterruptedException _) {
            server.shutdownNow();
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
