package podvm.agent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.agent.FakeSerialPort.Trouble;
import podvm.engine.Agent;
import podvm.engine.Agent.ContainerReport;
import podvm.engine.Agent.ContainerReport.Phase;
import podvm.engine.ContainerId;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.proto.agent.v1.ContainerState;
import podvm.proto.agent.v1.WatchContainersRequest;

@Timeout(30)
class WatchTest {
    private final GrpcAgents agents = new GrpcAgents();
    private final ContainerId container = ContainerId.random();

    /** How many reports came before each mark. */
    private final List<Integer> marks = new ArrayList<>();

    @TempDir private Path directory;

    @AfterEach
    void close() {
        agents.close();
    }

    @Test
    void statesArriveInOrder() throws Exception {
        var seen =
                watch(out -> {
                    out.onNext(state(ContainerState.Phase.RUNNING).build());
                    out.onNext(
                            state(ContainerState.Phase.EXITED)
                                    .setExitCode(137)
                                    .setSignal(9)
                                    .setOomKilled(true)
                                    .setStartedUnixNs(1)
                                    .setExitedUnixNs(2)
                                    .build());
                    out.onCompleted();
                });
        assertThat(seen)
                .extracting(ContainerReport::phase)
                .containsExactly(Phase.RUNNING, Phase.EXITED);
        assertThat(seen.getLast())
                .isEqualTo(
                        new ContainerReport(
                                container,
                                Phase.EXITED,
                                137,
                                9,
                                true,
                                Instant.ofEpochSecond(0, 1),
                                Instant.ofEpochSecond(0, 2)));
    }

    @Test
    void aContainerOfASandboxIsKnownByItsLongId() throws Exception {
        var known = ContainerId.randomLong();
        var seen =
                watch(out -> {
                    out.onNext(state(ContainerState.Phase.EXITED).setId(known.text()).build());
                    out.onCompleted();
                });
        assertThat(seen).extracting(ContainerReport::id).containsExactly(known);
    }

    @Test
    void nonsenseIsIgnoredOrBroughtIntoRange() throws Exception {
        var seen =
                watch(out -> {
                    out.onNext(state(ContainerState.Phase.RUNNING).setId("../x").build());
                    out.onNext(state(ContainerState.Phase.RUNNING).setPhaseValue(9).build());
                    out.onNext(
                            state(ContainerState.Phase.EXITED)
                                    .setExitCode(-1)
                                    .setSignal(-7)
                                    .setExitedUnixNs(-1)
                                    .build());
                    out.onCompleted();
                });
        assertThat(seen).hasSize(1);
        assertThat(seen.getFirst().exitCode()).isEqualTo(255);
        assertThat(seen.getFirst().signal()).isZero();
        assertThat(seen.getFirst().exited()).isBefore(Instant.parse("2263-01-01T00:00:00Z"));
    }

    @Test
    void watchingEndsWithTheConnection() throws Exception {
        assertThat(watch(out -> out.onError(Status.UNAVAILABLE.asRuntimeException()))).isEmpty();
    }

    @Test
    void anErrorOfTheAgentIsTold() {
        var e =
                catchThrowableOfType(
                        PodException.class,
                        () -> watch(out -> out.onError(Status.INTERNAL.asRuntimeException())));
        assertThat(e.kind()).isEqualTo(Kind.MACHINE);
    }

    @Test
    void thatAllPresentContainersAreToldIsPassedOnInItsPlace() throws Exception {
        var seen =
                watch(out -> {
                    out.onNext(state(ContainerState.Phase.RUNNING).build());
                    out.onNext(ContainerState.newBuilder().setPresentTold(true).build());
                    out.onNext(state(ContainerState.Phase.EXITED).build());
                    out.onCompleted();
                });
        assertThat(seen).hasSize(2);
        assertThat(marks).containsExactly(1);
    }

    private List<ContainerReport> watch(Consumer<StreamObserver<ContainerState>> script)
            throws Exception {
        var scripted =
                new ScriptedAgent() {
                    @Override
                    public void watchContainers(
                            WatchContainersRequest request, StreamObserver<ContainerState> out) {
                        script.accept(out);
                    }
                };
        try (var guest = new FakeGuest(directory, scripted, Trouble.none());
                var agent = guest.connect(agents)) {
            var seen = new ArrayList<ContainerReport>();
            agent.watch(
                    new Agent.Watcher() {
                        @Override
                        public void changed(ContainerReport report) {
                            seen.add(report);
                        }

                        @Override
                        public void presentTold() {
                            marks.add(seen.size());
                        }
                    });
            return seen;
        }
    }

    private ContainerState.Builder state(ContainerState.Phase phase) {
        return ContainerState.newBuilder().setId(container.text()).setPhase(phase);
    }
}
