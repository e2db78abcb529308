package podvm.machine.qemu;

import java.util.List;
import podvm.engine.MachineSize;
import podvm.engine.PodException;

/** A machine that only boots: what a pod is measured against. */
public final class BareMachine {
    private BareMachine() {}

    /**
     * The same VMM, kernel and kernel command line as a pod's, with a console on standard output
     * and no other device.
     *
     * @param options with the initramfs to boot
     */
    public static List<String> command(QemuOptions options, MachineSize size) throws PodException {
        return MicrovmArguments.probe(options, size);
    }
}
