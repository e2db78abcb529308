package podvm.cri;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.PrototypeMarshaller;
import io.grpc.ServiceDescriptor;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.stub.ClientCalls;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import java.net.InetAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import podvm.cri.streaming.StreamServer;
import podvm.engine.Networks;
import podvm.engine.fake.FakeImages;
import podvm.engine.fake.FakeSandboxes;
import podvm.proto.cri.v1.ImageServiceGrpc;
import podvm.proto.cri.v1.RuntimeServiceGrpc;

/** Every verb with requests that nobody in his senses sends: none of them is the server's fault. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class BadRequestsTest {
    /** Events and the like go on for ever. */
    private static final int MILLIS = 500;

    private static final int DEEPEST = 4;

    @TempDir Path directory;

    private StreamServer streams;
    private CriServer server;
    private EventLoopGroup loop;
    private ManagedChannel channel;

    @BeforeEach
    void start() throws Exception {
        streams =
                StreamServer.start(
                        InetAddress.getLoopbackAddress(),
                        0,
                        new podvm.cri.streaming.StreamTls.Plain(),
                        _ -> {});
        var socket = directory.resolve("podvm.sock");
        var node =
                new NodeInfo(
                        "1.2.3", Path.of("/images"), () -> Networks.Readiness.READY, () -> "{}");
        server =
                CriServer.start(
                        socket,
                        Optional.empty(),
                        new FakeSandboxes(),
                        new FakeImages(),
                        streams,
                        node,
                        _ -> {});
        loop = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
        channel =
                NettyChannelBuilder.forAddress(UnixDomainSocketAddress.of(socket))
                        .channelType(NioDomainSocketChannel.class, UnixDomainSocketAddress.class)
                        .eventLoopGroup(loop)
                        .withOption(io.netty.channel.ChannelOption.SO_KEEPALIVE, null)
                        .usePlaintext()
                        .build();
    }

    @AfterEach
    void close() {
        channel.shutdownNow();
        server.close();
        streams.close();
        loop.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    }

    static Stream<MethodDescriptor<?, ?>> verbs() {
        return Stream.of(
                        RuntimeServiceGrpc.getServiceDescriptor(),
                        ImageServiceGrpc.getServiceDescriptor())
                .map(ServiceDescriptor::getMethods)
                .flatMap(methods -> methods.stream());
    }

    @ParameterizedTest
    @MethodSource("verbs")
    void noRequestIsTheServersFault(MethodDescriptor<Message, Message> verb) {
        var empty =
                ((PrototypeMarshaller<Message>) verb.getRequestMarshaller()).getMessagePrototype();
        var faults = new ArrayList<String>();
        for (var request : requests(empty)) {
            try {
                var options = CallOptions.DEFAULT.withDeadlineAfter(MILLIS, TimeUnit.MILLISECONDS);
                ClientCalls.blockingServerStreamingCall(channel, verb, options, request)
                        .forEachRemaining(_ -> {});
            } catch (StatusRuntimeException e) {
                if (e.getStatus().getCode() == Code.UNKNOWN
                        || e.getStatus().getCode() == Code.INTERNAL) {
                    faults.add(e.getStatus() + "\n" + request);
                }
            }
        }
        assertThat(faults).isEmpty();
    }

    private static List<Message> requests(Message empty) {
        var all = new ArrayList<Message>(List.of(empty));
        for (var text : List.of("x", "../..", "/a\0b", "", "a".repeat(100_000), "\uffff")) {
            for (long number : new long[] {-1, 1, Long.MAX_VALUE, Long.MIN_VALUE}) {
                all.add(filled(empty, text, number, 0));
            }
        }
        return all;
    }

    /** With every field set, all of one kind alike. */
    private static Message filled(Message empty, String text, long number, int depth) {
        var message = empty.newBuilderForType();
        for (var field : empty.getDescriptorForType().getFields()) {
            if (field.isMapField() || depth == DEEPEST) {
                continue;
            }
            Optional<Object> value = value(message, field, text, number, depth);
            if (value.isPresent() && field.isRepeated()) {
                message.addRepeatedField(field, value.get());
            } else {
                value.ifPresent(one -> message.setField(field, one));
            }
        }
        return message.build();
    }

    private static Optional<Object> value(
            Message.Builder message, FieldDescriptor field, String text, long number, int depth) {
        return switch (field.getJavaType()) {
            case STRING -> Optional.of(text);
            case INT -> Optional.of((int) number);
            case LONG -> Optional.of(number);
            case BOOLEAN -> Optional.of(number > 0);
            case DOUBLE -> Optional.of((double) number);
            case FLOAT -> Optional.of((float) number);
            case BYTE_STRING -> Optional.of(com.google.protobuf.ByteString.copyFromUtf8(text));
            case ENUM ->
                    Optional.of(
                            field.getEnumType().findValueByNumberCreatingIfUnknown((int) number));
            case MESSAGE ->
                    Optional.of(
                            filled(
                                    message.newBuilderForField(field).buildPartial(),
                                    text,
                                    number,
                                    depth + 1));
        };
    }
}
