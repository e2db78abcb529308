package podvm.engine.pod;

import java.time.Duration;
import podvm.engine.log.LogWriter;

/**
 * What the node's owner can choose.
 *
 * @param nodeName what a pod sees as spec.nodeName
 * @param defaultCpuMillis CPU that containers without a limit share, in thousandths
 * @param defaultMemoryMib memory that containers without a limit share
 * @param overheadMib memory of the guest's kernel and agent, on top
 * @param scratchBytes largest size of a pod's writable disk
 * @param boot how long a guest may take until its agent answers
 * @param firstBackoff delay before the second restart of a container; doubles from there up to
 *     {@code lastBackoff}
 * @param endedPodsKept older ended pods are forgotten
 */
public record EngineSettings(
        String nodeName,
        int defaultCpuMillis,
        int defaultMemoryMib,
        int overheadMib,
        long scratchBytes,
        Duration boot,
        Duration firstBackoff,
        Duration lastBackoff,
        LogWriter.Limits logs,
        int endedPodsKept) {}
