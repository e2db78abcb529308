package podvm.machine.qemu;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import podvm.engine.MachineSpec;
import podvm.engine.Nic;
import podvm.engine.PodException;
import podvm.linux.Command;
import podvm.linux.Descriptor;
import podvm.linux.NetworkNamespace;
import podvm.linux.UnixSocket;
import podvm.machine.PodDirectory;

/** What QEMU is handed open when it starts; the daemon's copies are closed right after. */
final class VmmDescriptors implements AutoCloseable {
    private static final int SOCKETS_AND_GUEST = 6;

    /** The guest's memory, where it is in a file. */
    static final int MEMORY = Command.FIRST_INHERITED + SOCKETS_AND_GUEST;

    /** The state of all devices, of a machine that becomes a template or a copy of one. */
    static final int STATE = MEMORY + 1;

    private final List<Descriptor> open = new ArrayList<>();
    private final int agent;
    private final int qmp;
    private final int passing;
    private final int console;
    private final int kernel;
    private final int initramfs;
    private final int firstDisk;
    private final Map<Integer, Integer> taps = new HashMap<>();

    VmmDescriptors(
            PodDirectory directory, QemuOptions options, Memory guestMemory, MachineSpec spec)
            throws PodException {
        try {
            agent = add(UnixSocket.listen(directory.agentSocket()));
            qmp = add(UnixSocket.listen(directory.qmpSocket()));
            passing = add(UnixSocket.listen(directory.descriptorSocket()));
            console = add(UnixSocket.listen(directory.consoleSocket()));
            kernel = add(Descriptor.readOnly(options.kernel()));
            initramfs = add(Descriptor.readOnly(options.initramfs()));
            guestMemory.open().forEach(this::add);
            firstDisk = Command.FIRST_INHERITED + open.size();
            for (var disk : spec.disks()) {
                add(DiskArguments.of(disk).open());
            }
            var nics = spec.nics();
            for (var i = 0; i < nics.size(); i++) {
                switch (nics.get(i)) {
                    case Nic.Tap tap ->
                            taps.put(
                                    i,
                                    add(
                                            new NetworkNamespace(tap.namespace())
                                                    .openTap(tap.device())));
                    case Nic.Unplugged(Nic.Tap _) -> taps.put(i, add(NetworkNamespace.lonelyTap()));
                    case Nic.User _, Nic.Unplugged _ -> {}
                }
            }
        } catch (PodException e) {
            close();
            throw e;
        }
    }

    private int add(Descriptor descriptor) {
        open.add(descriptor);
        return Command.FIRST_INHERITED + open.size() - 1;
    }

    List<Descriptor> inOrder() {
        return List.copyOf(open);
    }

    int agent() {
        return agent;
    }

    int qmp() {
        return qmp;
    }

    int passing() {
        return passing;
    }

    int console() {
        return console;
    }

    int kernel() {
        return kernel;
    }

    int initramfs() {
        return initramfs;
    }

    int disk(int index) {
        return firstDisk + index;
    }

    /**
     * @param index among all network devices
     */
    int tap(int index) {
        return Objects.requireNonNull(taps.get(index));
    }

    @Override
    public void close() {
        open.forEach(Descriptor::close);
    }
}
