package podvm.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.linux.User;

class VmmUserTest {
    @TempDir Path directory;

    @Test
    void aGroupThatMayOpenTheDeviceIsJoined() throws Exception {
        assumeTrue(User.isRoot(), "only root can give a file to a group that it is not in");
        assertThat(VmmUser.groupOf(device("rw-rw----", 4242))).hasValue(4242);
    }

    @Test
    void aGroupThatMayNotOpenItIsNotJoined() throws Exception {
        assertThat(VmmUser.groupOf(device("rw-r-----"))).isEmpty();
    }

    @Test
    void rootsGroupIsNeverJoined() throws Exception {
        assumeTrue(User.isRoot(), "only root can give a file to its group");
        assertThat(VmmUser.groupOf(device("rw-rw----", 0))).isEmpty();
    }

    private Path device(String mode, int group) throws Exception {
        return Files.setAttribute(device(mode), "unix:gid", group);
    }

    private Path device(String mode) throws Exception {
        return Files.setPosixFilePermissions(
                Files.createFile(directory.resolve("kvm")), PosixFilePermissions.fromString(mode));
    }
}
