package podvm.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.Disk;
import podvm.engine.Machine;
import podvm.engine.MachineEnd.Reason;
import podvm.engine.MachineSize;
import podvm.engine.MachineSpec;
import podvm.engine.Machines;
import podvm.engine.Nic;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;

/** What every driver of machines must do; a driver's test extends it and boots real ones. */
@Timeout(120)
public abstract class MachinesContract {
    static final MachineSize SMALL = new MachineSize(1, 128);

    @TempDir Path temporary;
    PodId pod = PodId.random();

    /** A driver whose machines boot this guest; one after another share the run directory. */
    protected abstract Machines machines(Path run, Path kernel, Path initramfs) throws PodException;

    /** Lets go of the machines as the daemon's death does. */
    protected abstract void forsake(Machines machines);

    /** Serials of the disks that the VMM says it has. */
    protected abstract List<String> disks(Machine machine)
            throws PodException, InterruptedException;

    protected abstract Path kernel();

    Machines machines(GuestProgram guest) throws IOException, PodException {
        return machines(temporary.resolve("run"), kernel(), guest.initramfs(temporary));
    }

    MachineSpec spec(Disk... disks) {
        return new MachineSpec(
                pod,
                SMALL,
                List.of(disks),
                List.of(new Nic.User("52:54:00:00:00:01")),
                Optional.empty());
    }

    protected static Deadline soon() {
        return Deadline.after(Duration.ofSeconds(60));
    }

    @AfterEach
    void nothingRunsOn() throws IOException, PodException {
        var machines = machines(GuestProgram.STAYS);
        machines.destroy(pod);
        forsake(machines);
    }

    @Test
    void aMachineBootsToItsFirstProgram() throws Exception {
        try (var machine = machines(GuestProgram.STAYS).boot(spec(), soon())) {
            awaitConsole(machine, GuestProgram.LINE);
            assertThat(machine.alive()).isTrue();
            assertThat(machine.pod()).isEqualTo(pod);
        }
    }

    @Test
    void closingLeavesNothingBehind() throws Exception {
        var machines = machines(GuestProgram.STAYS);
        var machine = machines.boot(spec(), soon());
        var pid = machine.pid();
        machine.close();
        assertThat(machine.awaitEnd().reason()).isEqualTo(Reason.CLOSED);
        assertThat(machine.alive()).isFalse();
        assertThat(Path.of("/proc/" + pid)).doesNotExist();
        assertThat(machines.leftovers()).isEmpty();
        assertThat(temporary.resolve("run/pods")).isEmptyDirectory();
    }

    @Test
    void closingTwiceIsClosingOnce() throws Exception {
        var machine = machines(GuestProgram.STAYS).boot(spec(), soon());
        machine.close();
        machine.close();
    }

    @Test
    void anInterruptedThreadClosesCompletely() throws Exception {
        var machines = machines(GuestProgram.STAYS);
        var machine = machines.boot(spec(), soon());
        Thread.currentThread().interrupt();
        machine.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(machines.leftovers()).isEmpty();
    }

    @Test
    void anInterruptedBootLeavesNothingBehind() throws Exception {
        var machines = machines(GuestProgram.STAYS);
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> machines.boot(spec(), soon()))
                .isInstanceOf(InterruptedException.class);
        assertThat(machines.leftovers()).isEmpty();
    }

    @Test
    void aMachineIsFoundAgainByAnotherDaemon() throws Exception {
        var first = machines(GuestProgram.STAYS);
        var booted = first.boot(spec(), soon());
        var pid = booted.pid();
        awaitRunning(booted);
        forsake(first);
        var second = machines(GuestProgram.STAYS);
        try (var machine = second.find(pod).orElseThrow()) {
            assertThat(machine.pid()).isEqualTo(pid);
            awaitConsole(machine, GuestProgram.LINE);
            var disk = disk("ADOPTED", Disk.Access.READ_ONLY);
            machine.attach(disk, soon());
            assertThat(disks(machine)).containsExactly("ADOPTED");
        }
        assertThat(Path.of("/proc/" + pid)).doesNotExist();
        assertThat(second.find(pod)).isEmpty();
    }

    @Test
    void theEndOfAnAdoptedMachineIsSeen() throws Exception {
        var first = machines(GuestProgram.STAYS);
        var booted = first.boot(spec(), soon());
        var pid = booted.pid();
        awaitRunning(booted);
        forsake(first);
        try (var machine = machines(GuestProgram.STAYS).find(pod).orElseThrow()) {
            ProcessHandle.of(pid).orElseThrow().destroyForcibly();
            assertThat(machine.awaitEnd().reason()).isEqualTo(Reason.VMM_KILLED);
        }
    }

    @Test
    void aKilledVmmIsToldWithItsSignal() throws Exception {
        try (var machine = machines(GuestProgram.STAYS).boot(spec(), soon())) {
            awaitConsole(machine, GuestProgram.LINE);
            ProcessHandle.of(machine.pid()).orElseThrow().destroyForcibly();
            var end = machine.awaitEnd();
            assertThat(end.reason()).isEqualTo(Reason.VMM_KILLED);
            assertThat(end.detail()).contains("SIGKILL");
            assertThat(end.console()).contains(GuestProgram.LINE);
        }
    }

    @Test
    void aPanicIsToldWithItsLine() throws Exception {
        try (var machine = machines(GuestProgram.EXITS).boot(spec(), soon())) {
            var end = machine.awaitEnd();
            assertThat(end.reason()).isEqualTo(Reason.GUEST_PANIC);
            assertThat(end.detail()).contains("Attempted to kill init").doesNotContain("\n");
        }
    }

    @Test
    void aPoweredOffGuestEndsItsMachine() throws Exception {
        var machines = machines(GuestProgram.POWERS_OFF);
        try (var machine = machines.boot(spec(), soon())) {
            assertThat(machine.awaitEnd().reason()).isEqualTo(Reason.POWER_OFF);
            assertThat(machines.find(pod)).isEmpty();
            assertThat(machines.leftovers()).containsExactly(pod);
        }
        assertThat(machines.leftovers()).isEmpty();
    }

    @Test
    void disksComeAndGo() throws Exception {
        var first = disk("FIRST", Disk.Access.READ_WRITE);
        var second = disk("SECOND", Disk.Access.READ_ONLY);
        try (var machine = machines(GuestProgram.STAYS).boot(spec(first), soon())) {
            awaitConsole(machine, GuestProgram.LINE);
            assertThat(disks(machine)).containsExactly("FIRST");
            machine.attach(second, soon());
            machine.attach(second, soon());
            assertThat(disks(machine)).containsExactlyInAnyOrder("FIRST", "SECOND");
            machine.detach(second, soon());
            machine.detach(second, soon());
            assertThat(disks(machine)).containsExactly("FIRST");
            machine.attach(second, soon());
            assertThat(disks(machine)).containsExactlyInAnyOrder("FIRST", "SECOND");
        }
    }

    @Test
    void aMissingDiskIsToldByItsName() throws Exception {
        var missing = new Disk("GONE", temporary.resolve("gone.img"), Disk.Access.READ_ONLY);
        var machines = machines(GuestProgram.STAYS);
        assertThatThrownBy(() -> machines.boot(spec(missing), soon()))
                .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                .matches(e -> e.kind() == Kind.NOT_FOUND)
                .matches(e -> e.getMessage().contains("gone.img"));
        assertThat(machines.leftovers()).isEmpty();
    }

    @Test
    void aMissingKernelIsToldBeforeAnythingIsMade() throws Exception {
        var machines =
                machines(
                        temporary.resolve("run"),
                        Path.of("/nowhere/vmlinux"),
                        GuestProgram.STAYS.initramfs(temporary));
        assertThatThrownBy(() -> machines.boot(spec(), soon()))
                .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                .matches(e -> e.kind() == Kind.NOT_FOUND)
                .matches(e -> e.getMessage().contains("/nowhere/vmlinux"))
                .matches(e -> !e.remedy().isEmpty());
        assertThat(machines.leftovers()).isEmpty();
    }

    @Test
    void aKernelThatIsNoneLeavesNothingBehind() throws Exception {
        var broken = Files.writeString(temporary.resolve("broken"), "no kernel at all");
        var machines =
                machines(temporary.resolve("run"), broken, GuestProgram.STAYS.initramfs(temporary));
        assertThatThrownBy(() -> machines.boot(spec(), soon()))
                .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                .matches(e -> e.kind() == Kind.MACHINE)
                .matches(e -> e.getMessage().contains(pod.text()));
        assertThat(machines.leftovers()).isEmpty();
    }

    @Test
    void whatTheNodeCanNeverHoldIsRefused() throws Exception {
        var machines = machines(GuestProgram.STAYS);
        assertThatThrownBy(() -> machines.check(new MachineSize(1, 1 << 30), 0))
                .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                .matches(e -> e.kind() == Kind.INVALID);
        assertThatThrownBy(() -> machines.check(new MachineSize(100_000, 128), 0))
                .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                .matches(e -> e.kind() == Kind.INVALID);
    }

    @Test
    void aPodHasOneMachine() throws Exception {
        var machines = machines(GuestProgram.STAYS);
        try (var machine = machines.boot(spec(), soon())) {
            assertThatThrownBy(() -> machines.boot(spec(), soon()))
                    .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                    .matches(e -> e.kind() == Kind.ALREADY_EXISTS);
            assertThat(machine.alive()).isTrue();
        }
    }

    @Test
    void leftoversAreDestroyedByTheirPod() throws Exception {
        var first = machines(GuestProgram.STAYS);
        var booted = first.boot(spec(), soon());
        var pid = booted.pid();
        awaitRunning(booted);
        forsake(first);
        var machines = machines(GuestProgram.STAYS);
        assertThat(machines.leftovers()).containsExactly(pod);
        machines.destroy(pod);
        machines.destroy(pod);
        assertThat(machines.leftovers()).isEmpty();
        assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
    }

    @Test
    void destroyEndsAMachineInUse() throws Exception {
        var machines = machines(GuestProgram.STAYS);
        var machine = machines.boot(spec(), soon());
        machines.destroy(pod);
        assertThat(machine.awaitEnd().reason()).isEqualTo(Reason.CLOSED);
        machine.close();
    }

    Disk disk(String serial, Disk.Access access) throws IOException {
        var file = temporary.resolve(serial + ".img");
        try (var disk = new RandomAccessFile(file.toFile(), "rw")) {
            disk.setLength(1 << 20);
        }
        return new Disk(serial, file, access);
    }

    /**
     * QEMU 7.2 died one time in 300 when all its clients left while it still started. A machine
     * that young is half made; what outlives a daemon is a guest that runs.
     */
    private static void awaitRunning(Machine machine) throws Exception {
        awaitConsole(machine, GuestProgram.LINE);
    }

    static void awaitConsole(Machine machine, String text) throws Exception {
        var deadline = Deadline.after(Duration.ofSeconds(60));
        while (!Files.exists(machine.consoleLog())
                || !Files.readString(machine.consoleLog()).contains(text)) {
            deadline.check(text + " on the console of " + machine.pod());
            Thread.sleep(5);
        }
    }
}
