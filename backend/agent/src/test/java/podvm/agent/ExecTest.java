package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.agent.FakeSerialPort.Trouble;
import podvm.engine.Agent;
import podvm.engine.Agent.ExecOutput;
import podvm.engine.Agent.ExecResult;
import podvm.engine.Agent.ExecSession;
import podvm.engine.ContainerId;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.proto.agent.v1.ExecRequest;
import podvm.proto.agent.v1.ExecRequest.MessageCase;
import podvm.proto.agent.v1.ExecResponse;
import podvm.proto.agent.v1.RemoveContainerRequest;
import podvm.proto.agent.v1.RemoveContainerResponse;
import podvm.proto.agent.v1.StartError;

@Timeout(30)
class ExecTest {
    private final GrpcAgents agents = new GrpcAgents();
    private final ContainerId container = ContainerId.random();
    private final BlockingQueue<ExecRequest> requests = new LinkedBlockingQueue<>();
    private final CompletableFuture<ServerCallStreamObserver<ExecResponse>> process =
            new CompletableFuture<>();
    private final CountDownLatch killed = new CountDownLatch(1);
    private final BlockingQueue<String> written = new LinkedBlockingQueue<>();
    private final Collecting output = new Collecting();
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
    void outputIsDeliveredBeforeTheExitCode() throws Exception {
        try (var exec = exec()) {
            process.get().onNext(stdout("out"));
            process.get().onNext(stderr("err"));
            process.get().onNext(ExecResponse.newBuilder().setExitCode(256 + 3).build());
            process.get().onCompleted();
            assertThat(exec.await()).isEqualTo(new ExecResult(3, Optional.empty()));
        }
        assertThat(written).containsExactly("1:out", "2:err");
    }

    @Test
    void inputResizesAndSignalsReachTheProcess() throws Exception {
        try (var exec = exec()) {
            exec.stdin("hi".getBytes(StandardCharsets.UTF_8));
            exec.resize(100, 50);
            exec.signal(2);
            exec.closeStdin();
            exec.closeStdin();
            var start = requests.take().getStart();
            assertThat(start.getContainerId()).isEqualTo(container.text());
            assertThat(start.getProcess().getArgsList()).containsExactly("cat");
            assertThat(start.getProcess().hasUser()).isFalse();
            assertThat(requests.take().getStdin().toStringUtf8()).isEqualTo("hi");
            assertThat(requests.take().getResize().getColumns()).isEqualTo(100);
            assertThat(requests.take().getSignal()).isEqualTo(2);
            assertThat(requests.take().getCloseStdin()).isTrue();
            assertThat(requests).isEmpty();
        }
    }

    @Test
    void aProgramThatCannotBeExecutedIsAResult() throws Exception {
        try (var exec = exec()) {
            var error = StartError.newBuilder().setExitCode(127).setMessage("no such file");
            process.get().onNext(ExecResponse.newBuilder().setError(error).build());
            process.get().onCompleted();
            assertThat(exec.await()).isEqualTo(new ExecResult(127, Optional.of("no such file")));
        }
    }

    @Test
    void closingKillsTheProcess() throws Exception {
        var exec = exec();
        process.get();
        exec.close();
        killed.await();
        assertThat(catchThrowableOfType(PodException.class, exec::await).kind())
                .isEqualTo(Kind.MACHINE);
    }

    @Test
    void outputThatIsNotTakenHoldsTheProcessBack() throws Exception {
        output.gate = new CountDownLatch(1);
        try (var _ = exec()) {
            var sent = new AtomicInteger();
            var piece = stdout("x".repeat(32 << 10));
            for (int i = 0; i < 50; i++) {
                while (process.get().isReady()) {
                    process.get().onNext(piece);
                    sent.incrementAndGet();
                }
                Thread.sleep(10);
            }
            assertThat(sent.get()).isBetween(4, 16);
            output.gate.countDown();
        }
    }

    @Test
    void otherCallsGoOnWhileOneIsHeldBack() throws Exception {
        output.gate = new CountDownLatch(1);
        try (var _ = exec()) {
            while (process.get().isReady()) {
                process.get().onNext(stdout("x".repeat(32 << 10)));
            }
            for (int i = 0; i < 20; i++) {
                agent.remove(container, Deadline.after(Duration.ofSeconds(5)));
            }
            output.gate.countDown();
        }
    }

    @Test
    void inputBlocksWhileTheProcessDoesNotReadAndResizesAreMerged() throws Exception {
        reading = false;
        try (var exec = exec()) {
            var bytes = new AtomicInteger();
            var writer =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    while (true) {
                                        exec.stdin(new byte[8192]);
                                        bytes.addAndGet(8192);
                                    }
                                } catch (PodException | InterruptedException e) {
                                    // the test ends it
                                }
                            });
            Thread.sleep(500);
            assertThat(bytes.get()).isBetween(1, 512 << 10);
            for (int columns = 1; columns <= 10_000; columns++) {
                exec.resize(columns, 1);
            }
            writer.interrupt();
            writer.join();
            process.get().request(100_000);
            await(r -> r.getResize().getColumns() == 10_000);
            assertThat(requests)
                    .filteredOn(r -> r.getMessageCase() == MessageCase.RESIZE)
                    .hasSize(1);
        }
    }

    @Test
    void aLostConnectionIsToldEvenWhileOutputIsHeldBack() throws Exception {
        output.gate = new CountDownLatch(1);
        try (var exec = exec()) {
            process.get().onNext(stdout("x"));
            Thread.sleep(100);
            guest.port().breakConnection();
            var e = catchThrowableOfType(PodException.class, exec::await);
            assertThat(e.kind()).isEqualTo(Kind.MACHINE);
            output.gate.countDown();
        }
    }

    @Test
    void anEndWithoutExitCodeIsTold() throws Exception {
        try (var exec = exec()) {
            process.get().onCompleted();
            var e = catchThrowableOfType(PodException.class, exec::await);
            assertThat(e.kind()).isEqualTo(Kind.CORRUPT);
        }
    }

    @Test
    void anUnknownContainerIsTold() throws Exception {
        try (var exec = exec()) {
            process.get().onError(Status.NOT_FOUND.asException());
            var e = catchThrowableOfType(PodException.class, exec::await);
            assertThat(e.kind()).isEqualTo(Kind.NOT_FOUND);
            assertThat(e.getMessage()).contains(container.brief());
        }
    }

    private ExecSession exec() throws Exception {
        return agent.exec(container, Plans.process("cat"), true, output);
    }

    private void await(Predicate<ExecRequest> arrived) throws Exception {
        while (requests.stream().noneMatch(arrived)) {
            Thread.sleep(10);
        }
    }

    private static ExecResponse stdout(String text) {
        return ExecResponse.newBuilder().setStdout(ByteString.copyFromUtf8(text)).build();
    }

    private static ExecResponse stderr(String text) {
        return ExecResponse.newBuilder().setStderr(ByteString.copyFromUtf8(text)).build();
    }

    private final class Collecting implements ExecOutput {
        private volatile CountDownLatch gate = new CountDownLatch(0);

        @Override
        public void stdout(byte[] data) {
            take("1:", data);
        }

        @Override
        public void stderr(byte[] data) {
            take("2:", data);
        }

        private void take(String stream, byte[] data) {
            try {
                gate.await();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
            written.add(stream + new String(data, StandardCharsets.UTF_8));
        }
    }

    private final class Scripted extends ScriptedAgent {
        @Override
        public void removeContainer(
                RemoveContainerRequest request, StreamObserver<RemoveContainerResponse> answer) {
            answer(answer, RemoveContainerResponse.getDefaultInstance());
        }

        @Override
        public StreamObserver<ExecRequest> exec(StreamObserver<ExecResponse> out) {
            var call = (ServerCallStreamObserver<ExecResponse>) out;
            call.setOnCancelHandler(killed::countDown);
            if (!reading) {
                call.disableAutoRequest();
            }
            process.complete(call);
            return new StreamObserver<>() {
                @Override
                public void onNext(ExecRequest request) {
                    requests.add(request);
                }

                @Override
                public void onError(Throwable t) {}

                @Override
                public void onCompleted() {}
            };
        }
    }
}
