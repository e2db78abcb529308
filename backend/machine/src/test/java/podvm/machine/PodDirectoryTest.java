package podvm.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;

class PodDirectoryTest {
    @TempDir Path temporary;

    @Test
    void onlyTheDaemonMayEnter() throws Exception {
        var directory = PodDirectory.of(PodDirectory.prepare(temporary), PodId.random());
        directory.create();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory.path())))
                .isEqualTo("rwx------");
    }

    @Test
    void removingLeavesNothing() throws Exception {
        var directory = PodDirectory.of(PodDirectory.prepare(temporary), PodId.random());
        directory.create();
        Files.writeString(directory.vmmLog(), "x");
        assertThat(PodDirectory.all(temporary)).containsExactly(directory.pod());
        directory.remove();
        directory.remove();
        assertThat(PodDirectory.all(temporary)).isEmpty();
    }

    @Test
    void aRunDirectoryWhoseSocketsWouldBeTooLongIsRefused() {
        var deep = temporary.resolve("a".repeat(60));
        assertThatThrownBy(() -> PodDirectory.prepare(deep))
                .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                .matches(e -> e.kind() == Kind.INVALID)
                .matches(e -> e.getMessage().contains("107"));
    }

    @Test
    void aSymbolicLinkIsResolvedAsProcShowsIt() throws Exception {
        var real = Files.createDirectory(temporary.resolve("real"));
        var link = Files.createSymbolicLink(temporary.resolve("link"), real);
        assertThat(PodDirectory.prepare(link)).isEqualTo(real.toRealPath());
    }
}
