package podvm.engine;

import java.util.Optional;

/**
 * What of a sandbox's resources was changed since its start, where it is not a limit in the guest.
 *
 * @param overheadBytes empty: that of its start
 * @param cpusetCpus as {@link ContainerConfig.Resources} has it; empty: none of its own
 * @param cpusetMems likewise
 */
public record SandboxBounds(Optional<Long> overheadBytes, String cpusetCpus, String cpusetMems) {
    public static final SandboxBounds NONE = new SandboxBounds(Optional.empty(), "", "");
}
