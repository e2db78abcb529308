package podvm.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PlaceTest {
    @Test
    void whatIsNamedGoesBeforeWhatIsUsual() throws Failure {
        var env = Map.of("PODVM_HOST", "unix:///a/sock", "PODVM_RUN", "/b");
        assertThat(Place.find("unix:///c/sock", env).socket()).isEqualTo(Path.of("/c/sock"));
        assertThat(Place.find("", env)).isEqualTo(new Place(Path.of("/a/sock"), false));
        assertThat(Place.find("", Map.of("PODVM_RUN", "/b")))
                .isEqualTo(new Place(Path.of("/b/node.sock"), true));
    }

    @Test
    void onlyUnixSocketsAreAddresses() {
        assertThatThrownBy(() -> Place.find("unix://relative", Map.of()))
                .isInstanceOf(Failure.class)
                .hasMessageContaining("not a daemon's address");
    }

    @Test
    void aDirectoryOfSomebodyElseIsRefused() {
        if (!"root".equals(System.getProperty("user.name"))) {
            assertThatThrownBy(() -> new Place(Path.of("/etc/node.sock"), true).check())
                    .hasMessageContaining("belongs to somebody else");
        }
        assertThatThrownBy(() -> new Place(Path.of("/etc/node.sock"), true).check())
                .isInstanceOf(Failure.class);
    }
}
