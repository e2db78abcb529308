package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.agent.FakeSerialPort.Trouble;
import podvm.engine.Deadline;
import podvm.engine.GuestAddress;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.proto.agent.v1.HelloRequest;
import podvm.proto.agent.v1.HelloResponse;

@Timeout(30)
class GrpcAgentsTest {
    private final GrpcAgents agents = new GrpcAgents();
    @TempDir private Path directory;

    @AfterEach
    void close() {
        agents.close();
    }

    @Test
    void theAgentIsGreetedThroughTheSerialPort() throws Exception {
        try (var guest = new FakeGuest(directory, new ScriptedAgent(), Trouble.none());
                var agent = guest.connect(agents)) {
            assertThat(agent.info().agentVersion()).isEqualTo("0.1.0");
            assertThat(agent.info().kernelRelease()).isEqualTo("6.1.0-cloud");
            assertThat(agent.info().configured()).isFalse();
        }
    }

    @Test
    void connectingWaitsUntilTheMachineHasMadeItsSocket() throws Exception {
        var late = new CountDownLatch(1);
        var boot =
                Thread.ofVirtual()
                        .start(() -> {
                            try {
                                Thread.sleep(300);
                                try (var _ =
                                        new FakeGuest(
                                                directory, new ScriptedAgent(), Trouble.none())) {
                                    late.await();
                                }
                            } catch (Exception e) {
                                throw new IllegalStateException(e);
                            }
                        });
        var address = new GuestAddress.Serial(directory.resolve("serial.sock"));
        try (var agent = agents.connect(address, Deadline.after(Duration.ofSeconds(10)))) {
            assertThat(agent.info().agentVersion()).isEqualTo("0.1.0");
        }
        late.countDown();
        boot.join();
    }

    @Test
    void staleBytesDeafTimesAndHangUpsAreOvercome() throws Exception {
        var stale =
                ("\0\0\5PODVM1 PODVM1 OK 00112233445566778899aabbccddeeff\nPODVM1 OK 0011"
                                + "PRI * HTTP/2.0\r\n".repeat(5000))
                        .getBytes(StandardCharsets.ISO_8859_1);
        try (var guest =
                        new FakeGuest(directory, new ScriptedAgent(), new Trouble(stale, 3, 2, 0));
                var agent = guest.connect(agents)) {
            assertThat(agent.info().agentVersion()).isEqualTo("0.1.0");
            assertThat(guest.port().connections()).isEqualTo(3);
        }
    }

    @Test
    void aGuestThatAnswersSlowerThanLinesAreSentIsReachedAllTheSame() throws Exception {
        try (var guest =
                        new FakeGuest(
                                directory,
                                new ScriptedAgent(),
                                new Trouble(new byte[0], 0, 0, 400));
                var agent = guest.connect(agents)) {
            assertThat(agent.info().agentVersion()).isEqualTo("0.1.0");
        }
    }

    @Test
    void anAgentThatSpeaksInTheSameBreathAsItAnswersIsUnderstood() throws Exception {
        var eager = new Trouble(new byte[0], 0, 0, 0, true);
        try (var guest = new FakeGuest(directory, new ScriptedAgent(), eager);
                var agent = guest.connect(agents)) {
            assertThat(agent.info().agentVersion()).isEqualTo("0.1.0");
        }
    }

    @Test
    void aSecondConnectionFollowsTheFirst() throws Exception {
        try (var guest = new FakeGuest(directory, new ScriptedAgent(), Trouble.none())) {
            guest.connect(agents).close();
            guest.connect(agents).close();
            assertThat(guest.port().connections()).isGreaterThanOrEqualTo(2);
        }
    }

    @Test
    void theDeadlineEndsTheWaitForAGuestThatNeverAnswers() throws Exception {
        try (var guest =
                new FakeGuest(
                        directory, new ScriptedAgent(), new Trouble(new byte[0], 1000, 0, 0))) {
            var e =
                    catchThrowableOfType(
                            PodException.class,
                            () ->
                                    agents.connect(
                                            guest.address(),
                                            Deadline.after(Duration.ofMillis(400))));
            assertThat(e.kind()).isEqualTo(Kind.DEADLINE);
            assertThat(e.describe()).contains("serial.sock", "did not answer", "console");
        }
    }

    @Test
    void theDeadlineEndsTheWaitForASocketThatIsNeverMade() {
        var address = new GuestAddress.Serial(directory.resolve("none.sock"));
        var e =
                catchThrowableOfType(
                        PodException.class,
                        () -> agents.connect(address, Deadline.after(Duration.ofMillis(100))));
        assertThat(e.kind()).isEqualTo(Kind.DEADLINE);
        assertThat(e.getMessage()).contains("none.sock");
    }

    @Test
    void anInterruptEndsTheWait() throws Exception {
        try (var guest =
                new FakeGuest(
                        directory, new ScriptedAgent(), new Trouble(new byte[0], 1000, 0, 0))) {
            var ended = new CountDownLatch(1);
            var waiting =
                    Thread.ofVirtual()
                            .start(() -> {
                                try {
                                    guest.connect(agents);
                                } catch (InterruptedException e) {
                                    ended.countDown();
                                } catch (PodException e) {
                                    throw new IllegalStateException(e);
                                }
                            });
            Thread.sleep(100);
            waiting.interrupt();
            ended.await();
        }
    }

    @Test
    void aConnectionLostInTheGreetingIsMadeAnew() throws Exception {
        var calls = new AtomicInteger();
        var flaky =
                new ScriptedAgent() {
                    @Override
                    public void hello(HelloRequest request, StreamObserver<HelloResponse> answer) {
                        if (calls.incrementAndGet() < 3) {
                            fail(answer, Status.UNAVAILABLE);
                        } else {
                            super.hello(request, answer);
                        }
                    }
                };
        try (var guest = new FakeGuest(directory, flaky, Trouble.none());
                var agent = guest.connect(agents)) {
            assertThat(agent.info().agentVersion()).isEqualTo("0.1.0");
            assertThat(guest.port().connections()).isEqualTo(3);
        }
    }

    @Test
    void anAgentOfAnotherContractIsToldAtOnce() throws Exception {
        var other =
                new ScriptedAgent() {
                    @Override
                    public void hello(HelloRequest request, StreamObserver<HelloResponse> answer) {
                        fail(answer, Status.UNIMPLEMENTED.withDescription("no such call"));
                    }
                };
        try (var guest = new FakeGuest(directory, other, Trouble.none())) {
            var e = catchThrowableOfType(PodException.class, () -> guest.connect(agents));
            assertThat(e.kind()).isEqualTo(Kind.UNSUPPORTED);
        }
    }

    @Test
    void whatTheAgentSaysOfItselfIsCleaned() throws Exception {
        var nasty =
                new ScriptedAgent() {
                    @Override
                    public void hello(HelloRequest request, StreamObserver<HelloResponse> answer) {
                        answer(
                                answer,
                                HelloResponse.newBuilder()
                                        .setAgentVersion("1\u001b[2J\n" + "x".repeat(5000))
                                        .setAgentRssBytes(-1)
                                        .build());
                    }
                };
        try (var guest = new FakeGuest(directory, nasty, Trouble.none());
                var agent = guest.connect(agents)) {
            assertThat(agent.info().agentVersion()).startsWith("1?[2J?xx").hasSize(1024);
            assertThat(agent.info().agentRssBytes()).isZero();
        }
    }
}
