package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.agent.FakeSerialPort.Trouble;
import podvm.engine.Agent;
import podvm.engine.Agent.Ack;
import podvm.engine.Agent.OutputSink;
import podvm.engine.Agent.OutputStreamKind;
import podvm.engine.ContainerId;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.proto.agent.v1.OutputAck;
import podvm.proto.agent.v1.OutputChunk;
import podvm.proto.agent.v1.OutputStream;
import podvm.proto.agent.v1.ReadOutputRequest;

@Timeout(30)
class ReadOutputTest {
    private final GrpcAgents agents = new GrpcAgents();
    private final ContainerId container = ContainerId.random();
    private final BlockingQueue<ReadOutputRequest> requests = new LinkedBlockingQueue<>();
    private final CompletableFuture<ServerCallStreamObserver<OutputChunk>> output =
            new CompletableFuture<>();
    private final CountDownLatch cancelled = new CountDownLatch(1);
    private volatile long lastAck = -1;
    @TempDir private Path directory;
    private FakeGuest guest;
    private Agent agent;

    @BeforeEach
    void connect() throws Exception {
        guest = new FakeGuest(directory, new Scripted(), Trouble.none());
        agent = guest.connect(agents);
    }

    @AfterEach
    void close() throws Exception {
        agent.close();
        guest.close();
        agents.close();
    }

    @Test
    void chunksReachTheSinkAndAcknowledgementsGoBack() throws Exception {
        lastAck = 112;
        guestWrites(out -> {
            out.onNext(chunk(OutputStream.STDOUT, 100, "hello\n", 5));
            out.onNext(chunk(OutputStream.STDERR, 0, "oops\n", 6));
            out.onNext(end(OutputStream.STDERR, 5));
            out.onNext(chunk(OutputStream.STDOUT, 106, "world\n", 7));
            out.onNext(end(OutputStream.STDOUT, 112));
        });
        var sink = new Collecting();
        agent.readOutput(container, sink);

        assertThat(sink.lines)
                .containsExactly(
                        "STDOUT 100 hello at 5",
                        "STDERR 0 oops at 6",
                        "STDERR end",
                        "STDOUT 106 world at 7",
                        "STDOUT end");
        assertThat(requests.take().getContainerId()).isEqualTo(container.text());
        assertThat(requests)
                .extracting(ReadOutputRequest::getAck)
                .contains(ack(OutputStream.STDOUT, 112), ack(OutputStream.STDERR, 5));
    }

    @Test
    void aSlowSinkHoldsTheGuestBackAfterAFewChunks() throws Exception {
        var written = new AtomicInteger();
        var data = ByteString.copyFrom(new byte[32 << 10]);
        guestWrites(out -> {
            Runnable pump =
                    () -> {
                        while (out.isReady() && written.get() < 1000) {
                            out.onNext(
                                    OutputChunk.newBuilder()
                                            .setStream(OutputStream.STDOUT)
                                            .setOffset(written.getAndIncrement() * 32768L)
                                            .setData(data)
                                            .build());
                        }
                    };
            for (int i = 0; i < 50; i++) {
                pump.run();
                sleep(10);
            }
        });
        var taken = new AtomicInteger();
        var release = new CountDownLatch(1);
        var reader =
                reading((_, _, bytes, _, _) -> {
                    taken.addAndGet(bytes.length);
                    await(release);
                });
        Thread.sleep(700);
        assertThat(taken).hasValue(32768);
        assertThat(written.get()).isBetween(4, 16);
        release.countDown();
        agent.close();
        reader.join();
    }

    @Test
    void acknowledgementsAreMergedWhileTheGuestDoesNotRead() throws Exception {
        lastAck = 2000;
        guestWrites(out -> {
            for (int i = 0; i < 2000; i++) {
                out.onNext(chunk(OutputStream.STDOUT, i, "x", i + 1));
            }
            out.onNext(end(OutputStream.STDOUT, 2000));
        });
        agent.readOutput(container, new Collecting());
        assertThat(requests).extracting(r -> r.getAck().getOffset()).contains(2000L);
    }

    @Test
    void aGapInTheOutputIsTold() throws Exception {
        guestWrites(out -> {
            out.onNext(chunk(OutputStream.STDOUT, 0, "ab", 1));
            out.onNext(chunk(OutputStream.STDOUT, 3, "d", 2));
        });
        assertCorrupt("offset 3 instead of 2");
    }

    @Test
    void anOffsetThatOverflowsIsTold() throws Exception {
        guestWrites(out -> out.onNext(chunk(OutputStream.STDERR, -5, "ab", 1)));
        assertCorrupt("offset 18446744073709551611");
    }

    @Test
    void aChunkLargerThanAgreedIsTold() throws Exception {
        guestWrites(out -> out.onNext(chunk(OutputStream.STDOUT, 0, "x".repeat(32769), 1)));
        assertCorrupt("32769 bytes");
    }

    @Test
    void outputAfterTheEndIsTold() throws Exception {
        guestWrites(out -> {
            out.onNext(end(OutputStream.STDOUT, 0));
            out.onNext(chunk(OutputStream.STDOUT, 0, "x", 1));
        });
        assertCorrupt("after its end");
    }

    @Test
    void anUnknownStreamIsTold() throws Exception {
        guestWrites(out -> out.onNext(OutputChunk.newBuilder().setStreamValue(9).build()));
        assertCorrupt("stream that does not exist");
    }

    @Test
    void aMessageLargerThanAllowedEndsTheCall() throws Exception {
        guestWrites(out -> out.onNext(chunk(OutputStream.STDOUT, 0, "x".repeat(5 << 20), 1)));
        var e =
                catchThrowableOfType(
                        PodException.class, () -> agent.readOutput(container, new Collecting()));
        assertThat(e.kind()).isEqualTo(Kind.EXHAUSTED);
    }

    @Test
    void timesThatStandStillAreMadeToIncrease() throws Exception {
        lastAck = 3;
        guestWrites(out -> {
            out.onNext(chunk(OutputStream.STDOUT, 0, "a", 7));
            out.onNext(chunk(OutputStream.STDOUT, 1, "b", 7));
            out.onNext(chunk(OutputStream.STDOUT, 2, "c", 3));
            out.onNext(end(OutputStream.STDOUT, 3));
        });
        var sink = new Collecting();
        agent.readOutput(container, sink);
        assertThat(sink.lines).startsWith("STDOUT 0 a at 7", "STDOUT 1 b at 8", "STDOUT 2 c at 9");
    }

    @Test
    void aFailingSinkEndsTheCall() throws Exception {
        guestWrites(out -> out.onNext(chunk(OutputStream.STDOUT, 0, "a", 7)));
        var full = new PodException(Kind.EXHAUSTED, "the disk is full", "");
        var e =
                catchThrowableOfType(
                        PodException.class,
                        () ->
                                agent.readOutput(
                                        container,
                                        sink((_, _, _, _, _) -> {
                                            throw full;
                                        })));
        assertThat(e).isSameAs(full);
        cancelled.await();
    }

    @Test
    void readingFailsWhenTheConnectionIsLost() throws Exception {
        guestWrites(out -> {
            sleep(100);
            try {
                guest.port().breakConnection();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        var e =
                catchThrowableOfType(
                        PodException.class, () -> agent.readOutput(container, new Collecting()));
        assertThat(e.kind()).isEqualTo(Kind.MACHINE);
    }

    @Test
    void anInterruptEndsTheReading() throws Exception {
        var ended = new CountDownLatch(1);
        var reader =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                agent.readOutput(container, new Collecting());
                            } catch (InterruptedException e) {
                                ended.countDown();
                            } catch (PodException e) {
                                throw new IllegalStateException(e);
                            }
                        });
        output.get();
        reader.interrupt();
        ended.await();
        cancelled.await();
    }

    private void assertCorrupt(String detail) {
        var e =
                catchThrowableOfType(
                        PodException.class, () -> agent.readOutput(container, new Collecting()));
        assertThat(e.kind()).isEqualTo(Kind.CORRUPT);
        assertThat(e.getMessage()).contains(detail, container.brief());
    }

    private Thread reading(ChunkTaker taker) {
        return Thread.ofVirtual()
                .start(() -> {
                    try {
                        agent.readOutput(container, sink(taker));
                    } catch (PodException | InterruptedException e) {
                        // the test closes the agent
                    }
                });
    }

    private void guestWrites(Consumer<ServerCallStreamObserver<OutputChunk>> script) {
        Thread.ofVirtual().start(() -> script.accept(output.join()));
    }

    private static OutputChunk chunk(OutputStream stream, long offset, String text, long nanos) {
        return OutputChunk.newBuilder()
                .setStream(stream)
                .setOffset(offset)
                .setData(ByteString.copyFromUtf8(text))
                .setTimeUnixNs(nanos)
                .build();
    }

    private static OutputChunk end(OutputStream stream, long offset) {
        return OutputChunk.newBuilder().setStream(stream).setOffset(offset).setEof(true).build();
    }

    private static OutputAck ack(OutputStream stream, long offset) {
        return OutputAck.newBuilder().setStream(stream).setOffset(offset).build();
    }

    private static void sleep(int millis) {
        try {
            Thread.sleep(Duration.ofMillis(millis));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    interface ChunkTaker {
        void take(OutputStreamKind stream, long offset, byte[] data, Instant time, Ack ack)
                throws PodException;
    }

    private static OutputSink sink(ChunkTaker taker) {
        return new OutputSink() {
            @Override
            public void chunk(
                    OutputStreamKind stream, long offset, byte[] data, Instant time, Ack ack)
                    throws PodException {
                taker.take(stream, offset, data, time, ack);
            }

            @Override
            public void end(OutputStreamKind stream, Ack ack) {}
        };
    }

    private static final class Collecting implements OutputSink {
        final List<String> lines = new ArrayList<>();

        @Override
        public void chunk(
                OutputStreamKind stream, long offset, byte[] data, Instant time, Ack ack) {
            var text = new String(data, StandardCharsets.UTF_8).strip();
            lines.add("%s %d %s at %d".formatted(stream, offset, text, time.getNano()));
            ack.upTo(stream, offset + data.length);
        }

        @Override
        public void end(OutputStreamKind stream, Ack ack) {
            lines.add(stream + " end");
        }
    }

    /** Ends the call, as the agent does, when the last byte is acknowledged. */
    private final class Scripted extends ScriptedAgent {
        @Override
        public StreamObserver<ReadOutputRequest> readOutput(StreamObserver<OutputChunk> out) {
            var call = (ServerCallStreamObserver<OutputChunk>) out;
            call.setOnCancelHandler(cancelled::countDown);
            return new StreamObserver<>() {
                @Override
                public void onNext(ReadOutputRequest request) {
                    requests.add(request);
                    if (request.hasContainerId()) {
                        output.complete(call);
                    } else if (request.getAck().getOffset() == lastAck) {
                        out.onCompleted();
                    }
                }

                @Override
                public void onError(Throwable t) {
                    assertThat(Status.fromThrowable(t).getCode()).isEqualTo(Status.Code.CANCELLED);
                }

                @Override
                public void onCompleted() {
                    throw new IllegalStateException("the daemon never half-closes");
                }
            };
        }
    }
}
