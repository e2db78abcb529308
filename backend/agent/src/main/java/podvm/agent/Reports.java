package podvm.agent;

import java.util.Optional;
import podvm.engine.Agent.ContainerReport;
import podvm.engine.Agent.ContainerReport.Phase;
import podvm.engine.Agent.ExecResult;
import podvm.engine.Agent.Info;
import podvm.engine.Agent.StartFailure;
import podvm.engine.ContainerId;
import podvm.proto.agent.v1.ContainerState;
import podvm.proto.agent.v1.HelloResponse;
import podvm.proto.agent.v1.StartError;

/** What the guest tells, made safe to use and to show. */
final class Reports {
    private Reports() {}

    static Info info(HelloResponse hello) {
        return new Info(
                GuestText.clean(hello.getAgentVersion()),
                GuestText.clean(hello.getKernelRelease()),
                hello.getSandboxConfigured(),
                GuestNumbers.size(hello.getAgentRssBytes()));
    }

    static StartFailure startFailure(StartError error) {
        return new StartFailure(
                GuestNumbers.exitCode(error.getExitCode()), GuestText.clean(error.getMessage()));
    }

    static ExecResult execFailure(StartError error) {
        var failure = startFailure(error);
        return new ExecResult(failure.exitCode(), Optional.of(failure.message()));
    }

    /** Empty when it cannot be about a container of ours, or has a phase not known here. */
    static Optional<ContainerReport> container(ContainerState state) {
        return ContainerId.of(state.getId())
                .flatMap(id -> phase(state).map(phase -> report(id, state, phase)));
    }

    private static Optional<Phase> phase(ContainerState state) {
        return switch (state.getPhase()) {
            case CREATED -> Optional.of(Phase.CREATED);
            case RUNNING -> Optional.of(Phase.RUNNING);
            case EXITED -> Optional.of(Phase.EXITED);
            case PHASE_UNSPECIFIED, UNRECOGNIZED -> Optional.empty();
        };
    }

    private static ContainerReport report(ContainerId id, ContainerState state, Phase phase) {
        return new ContainerReport(
                id,
                phase,
                GuestNumbers.exitCode(state.getExitCode()),
                GuestNumbers.signal(state.getSignal()),
                state.getOomKilled(),
                GuestNumbers.time(state.getStartedUnixNs()),
                GuestNumbers.time(state.getExitedUnixNs()));
    }
}
