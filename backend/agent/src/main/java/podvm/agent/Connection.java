package podvm.agent;

import com.google.protobuf.MessageLite;
import io.grpc.CallOptions;
import io.grpc.ConnectivityState;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import java.net.UnixDomainSocketAddress;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** HTTP/2 on one byte stream; when that ends, every call fails, and so does every later one. */
final class Connection implements AutoCloseable {
    /** The limit of agent.proto, both ways. */
    static final int MAX_MESSAGE = 4 << 20;

    /**
     * What the guest may send ahead on each stream: four large pieces of output. Each half of it
     * that is taken wakes the guest.
     */
    private static final int WINDOW = 512 << 10;

    private static final int MAX_METADATA = 8 << 10;

    private final Peer peer;
    private final ByteStream stream;
    private final ManagedChannel channel;
    private final Set<Conversation<?, ?>> live = ConcurrentHashMap.newKeySet();
    private final AtomicBoolean over = new AtomicBoolean();

    /** Takes over the stream. */
    Connection(Peer peer, ByteStream stream, EventLoopGroup threads) {
        this.peer = peer;
        this.stream = stream;
        channel =
                NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(peer.address()))
                        .channelFactory(() -> stream.take(this::lose))
                        .eventLoopGroup(threads)
                        // a Unix socket has no such option: Netty would warn of it each time
                        .withOption(ChannelOption.SO_KEEPALIVE, null)
                        .overrideAuthority("agent")
                        .usePlaintext()
                        .directExecutor()
                        .flowControlWindow(WINDOW)
                        .maxInboundMessageSize(MAX_MESSAGE)
                        .maxInboundMetadataSize(MAX_METADATA)
                        .disableRetry()
                        .disableServiceConfigLookUp()
                        // gRPC would hang up on a pod that is left alone for half an hour
                        .idleTimeout(Long.MAX_VALUE, TimeUnit.NANOSECONDS)
                        .maxTraceEvents(0)
                        .build();
        follow(ConnectivityState.IDLE);
    }

    /**
     * HTTP/2 ends gracefully when the guest breaks its rules: it waits for open calls, up to half a
     * minute. For them the end must come at once.
     */
    private void follow(ConnectivityState known) {
        channel.notifyWhenStateChanged(
                known,
                () -> {
                    var state = channel.getState(false);
                    switch (state) {
                        case CONNECTING, READY -> follow(state);
                        case IDLE, TRANSIENT_FAILURE, SHUTDOWN -> lose();
                    }
                });
    }

    /**
     * @param what the action, as in "start container 0123"
     */
    <Q extends MessageLite, R> R ask(
            MethodDescriptor<Q, R> method, Q request, String what, Deadline deadline)
            throws PodException, InterruptedException {
        if (request.getSerializedSize() > MAX_MESSAGE) {
            throw new PodException(
                    Kind.EXHAUSTED,
                    "cannot %s: %d bytes are more than the agent takes"
                            .formatted(what, request.getSerializedSize()),
                    "make it smaller than 4 MiB");
        }
        deadline.check(what);
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        var options =
                CallOptions.DEFAULT.withDeadlineAfter(
                        deadline.left().toNanos(), TimeUnit.NANOSECONDS);
        try {
            return ClientCalls.blockingUnaryCall(channel, method, options, request);
        } catch (StatusRuntimeException e) {
            // gRPC cancels the call when its thread is interrupted and sets the flag again
            if (e.getStatus().getCode() == Status.Code.CANCELLED && Thread.interrupted()) {
                throw new InterruptedException();
            }
            throw peer.failure(what, e.getStatus().withCause(e));
        }
    }

    <Q, R> Conversation<Q, R> converse(MethodDescriptor<Q, R> method, String what) {
        var conversation = new Conversation<>(channel, method, peer, what, live);
        if (over.get()) {
            conversation.abandon(Status.UNAVAILABLE);
        }
        return conversation;
    }

    /** Nothing comes through any more. */
    boolean over() {
        return over.get();
    }

    Peer peer() {
        return peer;
    }

    private void lose() {
        over.set(true);
        stream.close();
        channel.shutdownNow();
        live.forEach(conversation -> conversation.abandon(Status.UNAVAILABLE));
    }

    @Override
    public void close() {
        lose();
    }
}
