package podvm.engine;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * What a running pod uses, on both sides: its containers as the guest counts them, its machine as
 * the node does. What the one has more than the other is the overhead of running in a machine.
 *
 * @param at when it was measured, by the node's clock
 * @param machine empty where the machine is not a process of this node
 * @param size what the machine has
 * @param rates of CPU, in billionths of a CPU, between this measurement and an earlier one; empty
 *     where there was none
 */
public record PodStats(
        Instant at,
        GuestStats guest,
        Optional<MachineCost> machine,
        MachineSize size,
        Rates rates) {
    /**
     * @param containers those that were there the last time as well
     */
    public record Rates(
            Optional<Long> machine, Optional<Long> pod, Map<ContainerId, Long> containers) {}
}
