package podvm.engine.pod;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import podvm.engine.Agent.VolumeFile;
import podvm.engine.UserMapping;

class PodUsersTest {
    private static final Optional<UserMapping> MAPPED =
            Optional.of(new UserMapping(1000, 2000, 100));

    @Test
    void filesBelongToThePodsUsers() {
        var file = new VolumeFile("a", new byte[] {1}, 0400, 0, 7);
        var owned = PodUsers.owned(List.of(file), MAPPED).getFirst();
        assertThat(owned.uid()).isEqualTo(1000);
        assertThat(owned.gid()).isEqualTo(2007);
        assertThat(owned.mode()).isEqualTo(0400);
        assertThat(PodUsers.owned(List.of(file), Optional.empty())).containsExactly(file);
    }

    @Test
    void lowPortsAreOpenToAMappedRootUnlessThePodSaysOtherwise() {
        var key = "net.ipv4.ip_unprivileged_port_start";
        assertThat(PodUsers.sysctls(Map.of(), Optional.empty())).isEmpty();
        assertThat(PodUsers.sysctls(Map.of(), MAPPED)).containsEntry(key, "0");
        assertThat(PodUsers.sysctls(Map.of(key, "80"), MAPPED)).containsEntry(key, "80");
    }
}
