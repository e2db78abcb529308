package podvm.agent;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.google.protobuf.ByteString;
import io.grpc.Status;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.agent.FakeSerialPort.Trouble;
import podvm.engine.Agent;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PortConnection;
import podvm.proto.agent.v1.ConnectPortRequest;
import podvm.proto.agent.v1.ConnectPortResponse;

@Timeout(30)
class PortsTest {
    private final GrpcAgents agents = new GrpcAgents();
    private final BlockingQueue<ConnectPortRequest> requests = new LinkedBlockingQueue<>();
    private final CompletableFuture<StreamObserver<ConnectPortResponse>> program =
            new CompletableFuture<>();
    private final CountDownLatch closed = new CountDownLatch(1);
    private final CountDownLatch inputEnded = new CountDownLatch(1);
    private volatile Consumer<StreamObserver<ConnectPortResponse>> first =
            answer -> answer.onNext(ConnectPortResponse.newBuilder().setConnected(true).build());
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

    private PortConnection open() throws PodException, InterruptedException {
        return agent.ports().connect(80);
    }

    private static ConnectPortResponse data(String text) {
        return ConnectPortResponse.newBuilder().setData(ByteString.copyFromUtf8(text)).build();
    }

    private static ConnectPortResponse end() {
        return ConnectPortResponse.newBuilder().setEnd(true).build();
    }

    @Test
    void bytesGoBothWaysAndEachDirectionEndsAlone() throws Exception {
        try (var connection = open()) {
            connection.send("hi".getBytes(UTF_8));
            assertThat(requests.take().getPort()).isEqualTo(80);
            assertThat(requests.take().getData().toStringUtf8()).isEqualTo("hi");

            program.get().onNext(end());
            assertThat(connection.receive()).isEmpty();
            assertThat(connection.receive()).isEmpty();
            connection.send("more".getBytes(UTF_8));
            assertThat(requests.take().getData().toStringUtf8()).isEqualTo("more");
            connection.endOfInput();
            inputEnded.await();
        }
    }

    @Test
    void whatComesAfterOurEndIsReceived() throws Exception {
        try (var connection = open()) {
            connection.endOfInput();
            inputEnded.await();
            program.get().onNext(data("late"));
            program.get().onNext(end());
            program.get().onCompleted();
            assertThat(new String(connection.receive(), UTF_8)).isEqualTo("late");
            assertThat(connection.receive()).isEmpty();
        }
    }

    @Test
    void largeDataIsCutIntoPiecesThatTheAgentTakes() throws Exception {
        try (var connection = open()) {
            connection.send(new byte[(1 << 20) + 1]);
            connection.endOfInput();
            inputEnded.await();
        }
        var sizes = requests.stream().mapToInt(r -> r.getData().size());
        assertThat(requests).allMatch(request -> request.getData().size() <= 32 << 10);
        assertThat(sizes.sum()).isEqualTo((1 << 20) + 1);
    }

    @Test
    void aPortWhereNobodyListensIsAConflict() {
        first =
                answer ->
                        answer.onError(
                                Status.FAILED_PRECONDITION
                                        .withDescription("no connection to port 80")
                                        .asRuntimeException());
        var failure = catchThrowableOfType(PodException.class, this::open);
        assertThat(failure.kind()).isEqualTo(Kind.CONFLICT);
        assertThat(failure).hasMessageContaining("no connection to port 80");
    }

    @Test
    void closingClosesTheConnectionInTheGuest() throws Exception {
        open().close();
        closed.await();
    }

    @Test
    void aGuestThatBeginsWithSomethingElseIsNotBelieved() {
        first = answer -> answer.onNext(data("early"));
        assertThat(catchThrowableOfType(PodException.class, this::open).kind())
                .isEqualTo(Kind.CORRUPT);
    }

    @Test
    void aGuestThatEndsTheCallBeforeTheDataIsNotBelieved() throws Exception {
        try (var connection = open()) {
            program.get().onCompleted();
            assertThat(catchThrowableOfType(PodException.class, connection::receive).kind())
                    .isEqualTo(Kind.CORRUPT);
        }
    }

    @Test
    void whatIsNoPortNeverReachesTheGuest() {
        for (var port : new int[] {0, -1, 65_536}) {
            var failure =
                    catchThrowableOfType(PodException.class, () -> agent.ports().connect(port));
            assertThat(failure.kind()).isEqualTo(Kind.INVALID);
        }
        assertThat(requests).isEmpty();
    }

    private final class Scripted extends ScriptedAgent {
        @Override
        public StreamObserver<ConnectPortRequest> connectPort(
                StreamObserver<ConnectPortResponse> answer) {
            var call = (ServerCallStreamObserver<ConnectPortResponse>) answer;
            call.setOnCancelHandler(closed::countDown);
            program.complete(answer);
            return new StreamObserver<>() {
                @Override
                public void onNext(ConnectPortRequest request) {
                    requests.add(request);
                    if (request.hasPort()) {
                        first.accept(answer);
                    }
                }

                @Override
                public void onError(Throwable gone) {
                    closed.countDown();
                }

                @Override
                public void onCompleted() {
                    inputEnded.countDown();
                }
            };
        }
    }
}
