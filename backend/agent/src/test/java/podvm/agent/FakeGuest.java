package podvm.agent;

import io.grpc.BindableService;
import io.grpc.Server;
import io.grpc.netty.NettyServerBuilder;
import io.netty.channel.ChannelOption;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import podvm.agent.FakeSerialPort.Trouble;
import podvm.engine.Agent;
import podvm.engine.Deadline;
import podvm.engine.GuestAddress;
import podvm.engine.PodException;

/** A scripted agent behind a serial port. */
final class FakeGuest implements AutoCloseable {
    private final MultiThreadIoEventLoopGroup threads =
            new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    private final Path socket;
    private final Server server;
    private final FakeSerialPort port;

    FakeGuest(Path directory, BindableService agent, Trouble trouble) throws IOException {
        socket = directory.resolve("serial.sock");
        var behind = directory.resolve("agent.sock");
        server =
                NettyServerBuilder.forAddress(UnixDomainSocketAddress.of(behind))
                        .bossEventLoopGroup(threads)
                        .workerEventLoopGroup(threads)
                        .channelFactory(NioServerDomainSocketChannel::new)
                        .withChildOption(ChannelOption.SO_KEEPALIVE, null)
                        .executor(Executors.newVirtualThreadPerTaskExecutor())
                        .flowControlWindow(64 << 10)
                        .addService(agent)
                        .build()
                        .start();
        port = new FakeSerialPort(socket, behind, trouble);
    }

    GuestAddress address() {
        return new GuestAddress.Serial(socket);
    }

    FakeSerialPort port() {
        return port;
    }

    Agent connect(GrpcAgents agents) throws PodException, InterruptedException {
        return agents.connect(address(), Deadline.after(Duration.ofSeconds(10)));
    }

    @Override
    public void close() throws IOException {
        port.close();
        server.shutdownNow();
        threads.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }
}
