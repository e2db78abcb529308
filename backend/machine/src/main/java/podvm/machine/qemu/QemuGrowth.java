package podvm.machine.qemu;

import java.time.Duration;
import java.util.Map;
import podvm.engine.Deadline;
import podvm.engine.MachineGrowth;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.machine.PodDirectory;
import tools.jackson.databind.JsonNode;

/** Asks QEMU each time: the machine may have been booted, and grown, by an earlier daemon. */
record QemuGrowth(PodDirectory directory, Qmp qmp) implements MachineGrowth {
    /** Names of QEMU's objects. */
    static final String DEVICE = "growth";

    static final String MEMORY = "growth-memory";

    private static final String DEVICE_PATH = "/machine/peripheral/" + DEVICE;
    private static final int LOOK_MILLIS = 20;
    private static final int MIB = 1 << 20;

    @Override
    public Room room(Deadline deadline) throws PodException, InterruptedException {
        int vcpus = qmp.execute("query-cpus-fast", Map.of(), deadline).size();
        return new Room(vcpus, has(deadline) ? mib("/objects/" + MEMORY, "size", deadline) : 0);
    }

    private boolean has(Deadline deadline) throws PodException, InterruptedException {
        for (var one : qmp.execute("qom-list", Map.of("path", "/objects"), deadline)) {
            if (one.path("name").asString("").equals(MEMORY)) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void memory(int moreMib, Deadline deadline) throws PodException, InterruptedException {
        int now = has(deadline) ? mib(DEVICE_PATH, "size", deadline) : 0;
        if (now >= moreMib) {
            return;
        }
        directory.allow(moreMib);
        request(moreMib, deadline);
        var patience = deadline.leftMillis();
        while (mib(DEVICE_PATH, "size", deadline) < moreMib) {
            if (deadline.passed()) {
                throw notTaken(moreMib, patience);
            }
            Thread.sleep(LOOK_MILLIS);
        }
    }

    private PodException notTaken(int moreMib, long patience)
            throws PodException, InterruptedException {
        var soon = Deadline.after(Duration.ofSeconds(2));
        int has = mib(DEVICE_PATH, "size", soon);
        // what it has not taken by now it is not to take unasked
        request(has, soon);
        return new PodException(
                Kind.DEADLINE,
                "the guest of pod %s took %d of %d MiB of more memory in %d ms"
                        .formatted(directory.pod(), has, moreMib, patience),
                "its kernel needs virtio_mem and free memory to keep the books of more");
    }

    private void request(int mib, Deadline deadline) throws PodException, InterruptedException {
        var arguments =
                Map.of(
                        "path",
                        DEVICE_PATH,
                        "property",
                        "requested-size",
                        "value",
                        (long) mib * MIB);
        var _ = qmp.execute("qom-set", arguments, deadline);
    }

    private int mib(String path, String property, Deadline deadline)
            throws PodException, InterruptedException {
        JsonNode value =
                qmp.execute("qom-get", Map.of("path", path, "property", property), deadline);
        return Math.toIntExact(value.asLong(0) / MIB);
    }
}
