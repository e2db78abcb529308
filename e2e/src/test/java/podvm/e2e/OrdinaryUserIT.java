package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/** The same product for a user without any rights. */
class OrdinaryUserIT {
    private static final int UID = 54_321;
    private static final int STRANGER = 54_322;

    private static final String POD =
            """
            apiVersion: v1
            kind: Pod
            metadata: {name: mine}
            spec:
              restartPolicy: Never
              terminationGracePeriodSeconds: 1
              containers:
                - {name: main, image: "localhost/box:1", command: [sh, -c, 'echo as $(id -u); sleep 100000']}
            """;

    @Test
    void aUserRunsLooksIntoAndStopsAPodAndNothingRunsAsRoot() throws Exception {
        assumeTrue(Host.isRoot(), "only root can become another user");
        try (var user = Node.ofUser(UID).opened()) {
            user.running(POD);

            assertThat(user.shell("mine", "main", "id -u")).isEqualTo("0\n");
            assertThat(user.podvm("ps").expect(0).out()).contains("mine");
            for (long machine : user.machines()) {
                assertThat(Files.getAttribute(Path.of("/proc/" + machine), "unix:uid"))
                        .isEqualTo(UID);
            }
            assertThat(Files.getAttribute(Path.of("/proc/" + user.daemonPid()), "unix:uid"))
                    .isEqualTo(UID);
            Wait.until(
                    "the pod has spoken",
                    () -> user.podvm("logs", "mine").expect(0).out().equals("as 0\n"));
            user.podvm("stop", "mine").expect(0);
        }
    }

    @Test
    void aRunDirectoryOfSomebodyElseIsRefused() throws Exception {
        assumeTrue(Host.isRoot(), "only root can give a folder away");
        try (var user = Node.ofUser(UID).withoutImage().opened()) {
            Files.createDirectory(user.run());
            Files.setAttribute(user.run(), "unix:uid", STRANGER);

            var refused = user.podvm("ps").expect(125);
            assertThat(refused.err()).contains(user.run().toString());
            Host.deleteTree(user.run());
        }
    }

    @Test
    void onlyItsOwnerMayUseADaemon() throws Exception {
        assumeTrue(Host.isRoot(), "only root can become another user");
        try (var user = Node.ofUser(UID).withoutImage().opened()) {
            user.podvm("version").expect(0);

            var socket = "unix://" + user.run().resolve("node.sock");
            try (var other = Node.ofUser(STRANGER).withoutImage().opened()) {
                assertThat(other.podvm("ps", "--host", socket).expect(125).err())
                        .startsWith("podvm: ");
            }
        }
    }
}
