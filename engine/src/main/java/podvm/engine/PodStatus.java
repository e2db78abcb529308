package podvm.engine;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What is known of a pod at one moment.
 *
 * @param reason one word, such as "StartFailed", "MachineEnded"; empty when there is nothing to say
 * @param console the machine's last console lines after it ended by itself; else empty
 * @param agentRssBytes resident memory of the guest's agent after the first container had started;
 *     empty before
 * @param timeline what happened when, oldest first
 * @param sandbox of a pod about which a kubelet decides; empty: it was made by {@link Pods#run}
 */
public record PodStatus(
        PodId id,
        PodSpec spec,
        Phase phase,
        String reason,
        String message,
        String console,
        Instant created,
        Optional<Instant> finished,
        List<String> ips,
        Optional<MachineSize> size,
        Optional<Long> agentRssBytes,
        List<ContainerStatus> containers,
        List<Stage> timeline,
        Optional<SandboxId> sandbox) {
    /** Records of earlier versions do not say the last. */
    public PodStatus {
        sandbox = Objects.requireNonNullElse(sandbox, Optional.empty());
    }

    /** As in Kubernetes. */
    public enum Phase {
        PENDING,
        RUNNING,
        SUCCEEDED,
        FAILED;

        public boolean ended() {
            return this == SUCCEEDED || this == FAILED;
        }
    }

    /** A point of a start: "machine.booted", "agent.connected", "container.started web". */
    public record Stage(String name, Instant at) {}

    /**
     * @param init one of the pod's init containers
     * @param imageId empty until the image is there
     * @param id the newest attempt's
     */
    public record ContainerStatus(
            String name,
            boolean init,
            String image,
            String imageId,
            Optional<ContainerId> id,
            ContainerState state,
            Optional<ContainerState.Terminated> last,
            int restarts) {}

    /** Of one container, as in Kubernetes. */
    public sealed interface ContainerState {
        /**
         * @param reason such as "PodInitializing", "ImagePullBackOff", "CrashLoopBackOff"
         */
        record Waiting(String reason, String message) implements ContainerState {}

        record Running(Instant started) implements ContainerState {}

        /**
         * @param reason "Completed", "Error", "OOMKilled", "StartError", "MachineEnded"
         */
        record Terminated(
                int exitCode,
                int signal,
                String reason,
                String message,
                Instant started,
                Instant finished)
                implements ContainerState {}
    }

    /**
     * The exit code of the pod as a whole: 0, or that of the first failed container in manifest
     * order; 125 where none ran.
     */
    public int exitCode() {
        if (phase == Phase.SUCCEEDED) {
            return 0;
        }
        for (var container : containers) {
            if (container.state() instanceof ContainerState.Terminated ended
                    && ended.exitCode() != 0) {
                return ended.exitCode();
            }
        }
        return 125;
    }
}
