package podvm.agent;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import podvm.engine.Agent;
import podvm.engine.Agents;
import podvm.engine.Deadline;
import podvm.engine.GuestAddress;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** Reaches agents over gRPC; all connections share a few threads. */
public final class GrpcAgents implements Agents, AutoCloseable {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(5);
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(100);

    /** A guest that took the handshake but not the call may have been reset; so start over. */
    private static final Duration HELLO = Duration.ofSeconds(10);

    private final SecureRandom random = new SecureRandom();
    private final EventLoopGroup threads =
            new MultiThreadIoEventLoopGroup(
                    Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, 4),
                    new DefaultThreadFactory("agent-io", true),
                    NioIoHandler.newFactory());

    @Override
    public Agent connect(GuestAddress guest, Deadline deadline)
            throws PodException, InterruptedException {
        var peer =
                switch (guest) {
                    case GuestAddress.Serial(var socket) -> new Peer(socket);
                };
        var pause = FIRST_PAUSE;
        while (true) {
            var failure = new Exception("it was not tried");
            try {
                return attempt(peer, deadline);
            } catch (IOException e) {
                failure = e;
            } catch (PodException e) {
                if (e.kind() != Kind.MACHINE && e.kind() != Kind.DEADLINE) {
                    throw e;
                }
                failure = e;
            }
            if (deadline.left().compareTo(pause) <= 0) {
                throw unreached(peer.address(), failure);
            }
            Thread.sleep(pause);
            pause = pause.multipliedBy(2);
            pause = pause.compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause;
        }
    }

    private Agent attempt(Peer peer, Deadline deadline)
            throws IOException, PodException, InterruptedException {
        var connection =
                new Connection(peer, ByteStream.open(peer.address(), random, deadline), threads);
        return GrpcAgent.greet(connection, random, deadline.atMost(HELLO));
    }

    private static PodException unreached(Path socket, Exception failure) {
        return new PodException(
                Kind.DEADLINE,
                "the agent at " + socket + " was not reached in time: " + failure.getMessage(),
                "look at the end of the machine's console log",
                failure);
    }

    /** Ends all connections. */
    @Override
    public void close() {
        threads.shutdownGracefully(0, 1, TimeUnit.SECONDS)
                .awaitUninterruptibly(1, TimeUnit.SECONDS);
    }
}
