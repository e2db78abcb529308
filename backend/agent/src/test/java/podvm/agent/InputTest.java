package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.agent.FakeSerialPort.Trouble;
import podvm.engine.Agent;
import podvm.engine.Agent.InputWriter;
import podvm.engine.ContainerId;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.proto.agent.v1.WriteInputRequest;
import podvm.proto.agent.v1.WriteInputResponse;

@Timeout(30)
class InputTest {
    private final GrpcAgents agents = new GrpcAgents();
    private final ContainerId container = ContainerId.random();
    private final BlockingQueue<WriteInputRequest> requests = new LinkedBlockingQueue<>();
    private final CompletableFuture<ServerCallStreamObserver<WriteInputResponse>> call =
            new CompletableFuture<>();
    private final CountDownLatch mayEnd = new CountDownLatch(1);
    private final CountDownLatch cancelled = new CountDownLatch(1);
    private volatile boolean reading = true;
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
    void inputGoesInPiecesAndClosingWaitsUntilTheGuestTookItAll() throws Exception {
        var input = agent.openInput(container);
        var bytes = new byte[100_000];
        bytes[1] = 42;
        input.write(bytes, 1, bytes.length - 1);
        var closed = new CountDownLatch(1);
        var closing = closing(input, closed);
        assertThat(closed.await(200, TimeUnit.MILLISECONDS)).isFalse();
        mayEnd.countDown();
        closing.join();
        assertThat(closed.getCount()).isZero();

        assertThat(requests.take().getContainerId()).isEqualTo(container.text());
        assertThat(requests.peek().getData().byteAt(0)).isEqualTo((byte) 42);
        assertThat(requests).allMatch(r -> r.getData().size() <= 32 << 10);
        assertThat(requests.stream().mapToInt(r -> r.getData().size()).sum()).isEqualTo(99_999);
    }

    @Test
    void writesBlockWhileTheContainerDoesNotRead() throws Exception {
        reading = false;
        var written = new AtomicLong();
        var input = agent.openInput(container);
        var writer =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                while (true) {
                                    input.write(new byte[8192], 0, 8192);
                                    written.addAndGet(8192);
                                }
                            } catch (PodException | InterruptedException e) {
                                // the test ends it
                            }
                        });
        Thread.sleep(500);
        assertThat(written.get()).isBetween(1L, 512L << 10);
        writer.interrupt();
        writer.join();
    }

    @Test
    void aWriterIsToldThatTheContainerHasNoInput() throws Exception {
        var input = agent.openInput(container);
        call.get().onError(Status.FAILED_PRECONDITION.withDescription("no stdin").asException());
        var e = catchThrowableOfType(PodException.class, () -> writeUntilFailure(input));
        assertThat(e.kind()).isEqualTo(Kind.CONFLICT);
        assertThat(e.getMessage()).contains("no stdin", container.brief());
        input.close();
    }

    @Test
    void aWriterIsToldThatTheContainerHasEnded() throws Exception {
        var input = agent.openInput(container);
        call.get().onNext(WriteInputResponse.getDefaultInstance());
        call.get().onCompleted();
        var e = catchThrowableOfType(PodException.class, () -> writeUntilFailure(input));
        assertThat(e.kind()).isEqualTo(Kind.CONFLICT);
    }

    @Test
    void anInterruptedCloseCutsTheInputOff() throws Exception {
        var input = agent.openInput(container);
        var closed = new CountDownLatch(1);
        var closing = closing(input, closed);
        call.get();
        Thread.sleep(100);
        closing.interrupt();
        closing.join();
        assertThat(closed.getCount()).isOne();
        cancelled.await();
    }

    private static Thread closing(InputWriter input, CountDownLatch closed) {
        return Thread.ofVirtual()
                .start(() -> {
                    try {
                        input.close();
                        closed.countDown();
                    } catch (PodException e) {
                        assertThat(e.kind()).isEqualTo(Kind.MACHINE);
                    }
                });
    }

    private static void writeUntilFailure(InputWriter input)
            throws PodException, InterruptedException {
        while (true) {
            input.write(new byte[1], 0, 1);
            Thread.sleep(5);
        }
    }

    private void end() {
        try {
            mayEnd.await();
            call.get().onNext(WriteInputResponse.getDefaultInstance());
            call.get().onCompleted();
        } catch (InterruptedException | ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private final class Scripted extends ScriptedAgent {
        @Override
        public StreamObserver<WriteInputRequest> writeInput(
                StreamObserver<WriteInputResponse> answer) {
            var server = (ServerCallStreamObserver<WriteInputResponse>) answer;
            server.setOnCancelHandler(cancelled::countDown);
            if (!reading) {
                server.disableAutoRequest();
            }
            return new StreamObserver<>() {
                @Override
                public void onNext(WriteInputRequest request) {
                    requests.add(request);
                    call.complete(server);
                }

                @Override
                public void onError(Throwable t) {}

                @Override
                public void onCompleted() {
                    Thread.ofVirtual().start(InputTest.this::end);
                }
            };
        }
    }
}
