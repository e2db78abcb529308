package podvm.e2e;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Machines that do not start, and machines that die. */
class MachineFailuresIT {
    private static final int OVERHEAD_MIB = 128;

    @RegisterExtension static final Node node = Node.ordinary();

    private static String pod(String name, String... containers) {
        return """
        apiVersion: v1
        kind: Pod
        metadata: {name: %s}
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 1
          containers:
        %s\
        """
                .formatted(name, String.join("", containers).indent(4));
    }

    private static String container(String name, String more) {
        return """
        - name: %s
          image: localhost/box:1
          command: [sleep, "100000"]
          %s
        """
                .formatted(name, more);
    }

    private static void assertNothingIsLeft(Node node) throws Exception {
        assertThat(node.machines()).isEmpty();
        try (var folders = Files.list(node.run().resolve("pods"))) {
            assertThat(folders).isEmpty();
        }
    }

    /** A folder with the true kernel, to which a test adds an initramfs of its own. */
    private static Path guest(String name) throws Exception {
        var guest = Files.createDirectories(Distribution.here().work().resolve(name));
        for (var file : new String[] {"vmlinux", "bare.cpio"}) {
            Files.deleteIfExists(guest.resolve(file));
            Files.createSymbolicLink(
                    guest.resolve(file), Distribution.guest().resolve(file).toRealPath());
        }
        return guest;
    }

    @Test
    void aMissingVmmIsNamedAndThePodHasFailed() throws Exception {
        try (var bare =
                Node.with("machine.qemu=/nonexistent/qemu", "machine.accelerator=tcg").opened()) {
            var ended = bare.run(pod("unbooted", container("main", ""))).expect(125);
            assertThat(ended.err()).contains("/nonexistent/qemu").contains("install qemu");
            assertThat(bare.inspect("unbooted").path("phase").asString()).isEqualTo("Failed");
            assertNothingIsLeft(bare);
        }
    }

    @Test
    void aGuestThatDoesNotAnswerInTimeIsEndedAndItsConsoleTold() throws Exception {
        var guest = guest("mute-guest");
        var root = Files.createDirectories(Distribution.here().work().resolve("mute-root/bin"));
        Files.copy(Box.busybox(), root.resolve("busybox"), REPLACE_EXISTING);
        var init = root.resolveSibling("init");
        Files.writeString(
                init, "#!/bin/busybox sh\nwhile true; do /bin/busybox sleep 1000; done\n");
        Host.command("chmod", "755", init.toString(), root.resolve("busybox").toString());
        Host.command(
                "sh",
                "-c",
                "cd '%s' && find . | '%s' cpio -o -H newc >'%s'"
                        .formatted(
                                root.getParent(), Box.busybox(), guest.resolve("initramfs.cpio")));
        try (var hasty =
                Node.with(
                                "machine.boot-timeout-ms=3000",
                                "directory.guest=" + guest,
                                "machine.accelerator=tcg")
                        .opened()) {
            var ended = hasty.run(pod("late", container("main", ""))).expect(125);
            assertThat(ended.err())
                    .contains("late")
                    .contains("did not answer within 3 s")
                    .contains("console")
                    .contains("podvm doctor");
            assertThat(hasty.inspect("late").path("reason").asString()).isEqualTo("MachineFailed");
            assertNothingIsLeft(hasty);
        }
    }

    @Test
    void aGuestThatPanicsWhileItBootsEndsWithTheLastLinesOfItsConsole() throws Exception {
        var guest = guest("broken-guest");
        Files.writeString(guest.resolve("initramfs.cpio"), "this is no archive\n".repeat(100));
        try (var broken =
                Node.with("directory.guest=" + guest, "machine.accelerator=tcg").opened()) {
            var ended = broken.run(pod("panics", container("main", ""))).expect(125);
            assertThat(ended.err()).contains("panics").contains("Kernel panic");
            assertNothingIsLeft(broken);
        }
    }

    @Test
    void aKernelPanicEndsThePodWithEveryContainerReportedDead() throws Exception {
        var manifest =
                pod(
                        "crash",
                        container("main", "securityContext: {privileged: true}"),
                        container("other", ""));
        try (var run = node.start("run", node.manifest(manifest).toString())) {
            Wait.until(
                    "pod crash runs", () -> node.podvm("exec", "crash", "--", "true").exit() == 0);
            node.podvm("exec", "crash", "--", "sh", "-c", "echo c >/proc/sysrq-trigger");

            var ended = run.await();
            assertThat(ended.exit()).isEqualTo(137);
            assertThat(ended.err()).contains("sysrq triggered crash");
        }
        assertAllDead("crash", "GuestPanic");
        assertThat(node.inspect("crash").path("message").asString()).contains("sysrq");
        assertThat(node.podvm("console", "crash").expect(0).out()).contains("RIP:");
    }

    private static void assertAllDead(String name, String reason) throws Exception {
        var pod = node.inspect(name);
        assertThat(pod.path("phase").asString()).isEqualTo("Failed");
        assertThat(pod.path("reason").asString()).isEqualTo(reason);
        for (var container : pod.path("containers")) {
            assertThat(container.path("state").asString()).isEqualTo("terminated");
            assertThat(container.path("reason").asString()).isEqualTo("MachineEnded");
            assertThat(container.path("exitCode").asInt()).isEqualTo(137);
        }
        var log = node.podvm("exec", name, "--", "true").expect(125).err();
        assertThat(log).contains(name).contains("not running");
        assertNothingIsLeft(node);
    }

    @Test
    void aKilledVmmEndsThePodWithEveryContainerReportedDead() throws Exception {
        node.running(pod("killed", container("main", ""), container("other", "")));
        assertThat(node.machines()).hasSize(1);
        Host.signal(node.machines().getFirst(), "KILL");

        node.podvm("wait", "killed").expect(137);
        assertAllDead("killed", "VmmKilled");
    }

    @Test
    void aMachineSwitchedOffFromInsideEndsThePod() throws Exception {
        node.running(pod("off", container("main", "securityContext: {privileged: true}")));
        node.podvm("exec", "off", "--", "sh", "-c", "echo o >/proc/sysrq-trigger");

        node.podvm("wait", "off").expect(137);
        assertThat(node.inspect("off").path("reason").asString())
                .isIn("GuestPoweredOff", "GuestPanic");
        assertNothingIsLeft(node);
    }

    @Test
    void aPodLargerThanTheHostIsRefusedAndNotMade() throws Exception {
        var cpus = Runtime.getRuntime().availableProcessors() + 1;
        var refused =
                node.run(
                                pod(
                                        "broad",
                                        container(
                                                "main",
                                                "resources: {limits: {cpu: " + cpus + "}}")))
                        .expect(125);
        assertThat(refused.err())
                .contains(cpus + " CPUs")
                .contains("ask for at most " + (cpus - 1));

        var mib = Host.totalMib() + 1;
        refused =
                node.run(
                                pod(
                                        "tall",
                                        container(
                                                "main",
                                                "resources: {limits: {memory: " + mib + "Mi}}")))
                        .expect(125);
        assertThat(refused.err()).contains("MiB").contains("ask for less memory");
        assertThat(node.podvm("ps", "-a", "-o", "json").expect(0).out())
                .doesNotContain("broad")
                .doesNotContain("tall");
    }

    @Test
    void aPodLargerThanTheMemoryThatIsFreeNowIsRefused() throws Exception {
        var mib = Host.totalMib() - OVERHEAD_MIB - 2;
        var refused =
                node.run(
                                pod(
                                        "late",
                                        container(
                                                "main",
                                                "resources: {limits: {memory: " + mib + "Mi}}")))
                        .expect(125);
        assertThat(refused.err()).contains("available now").contains("end other pods");
    }
}
