package podvm.volume;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;

class ScratchVolumesTest {
    private static final long SIZE = 128L << 20;

    @TempDir Path state;
    private final PodId pod = PodId.random();
    private ScratchVolumes volumes;

    @BeforeEach
    void open() {
        volumes = new ScratchVolumes(state);
    }

    @Test
    void aDiskLivesUntilItIsClosed() throws Exception {
        var scratch = volumes.scratch(pod, SIZE);
        assertThat(scratch.disk().file()).hasSize(SIZE);
        scratch.close();
        assertThat(state.resolve("pods")).isEmptyDirectory();
    }

    @Test
    void onlyTheOwnerCanReadIt() throws Exception {
        var file = volumes.scratch(pod, SIZE).disk().file();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
    }

    @Test
    void aPodHasOneDisk() throws Exception {
        var first = volumes.scratch(pod, SIZE);
        assertThatThrownBy(() -> volumes.scratch(pod, SIZE))
                .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                .matches(e -> e.kind() == Kind.ALREADY_EXISTS);
        assertThat(first.disk().file()).exists();
    }

    @Test
    void destroySucceedsWithAndWithoutADisk() throws Exception {
        volumes.destroy(pod);
        volumes.scratch(pod, SIZE);
        volumes.destroy(pod);
        volumes.destroy(pod);
        assertThat(state.resolve("pods")).isEmptyDirectory();
    }

    @Test
    void aDiskIsFoundAgain() throws Exception {
        var first = volumes.scratch(pod, SIZE);
        assertThat(new ScratchVolumes(state).find(pod).disk()).isEqualTo(first.disk());
    }

    @Test
    void aLostDiskIsTold() {
        assertThatThrownBy(() -> volumes.find(pod))
                .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                .matches(e -> e.kind() == Kind.NOT_FOUND);
    }

    @Test
    void whatOthersKeepForThePodStays() throws Exception {
        var scratch = volumes.scratch(pod, SIZE);
        var other = Files.writeString(scratch.disk().file().resolveSibling("journal"), "kept");
        scratch.close();
        assertThat(other).exists();
    }

    @Test
    void aSizeOutOfRangeIsRefused() {
        assertThatThrownBy(() -> volumes.scratch(pod, 1 << 20))
                .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                .matches(e -> e.kind() == Kind.INVALID);
    }
}
