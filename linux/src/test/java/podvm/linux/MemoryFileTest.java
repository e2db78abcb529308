package podvm.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import podvm.engine.PodException;

class MemoryFileTest {
    private static Path path(Descriptor descriptor) {
        return Path.of("/proc/self/fd/" + descriptor.number());
    }

    @Test
    void whatIsWrittenIsReadByOthersWhoOpenIt() throws Exception {
        try (var file = MemoryFile.create("podvm-test", 4096);
                var writer = file.writer();
                var reader = file.reader()) {
            Files.write(path(writer), new byte[] {1, 2, 3}, StandardOpenOption.WRITE);
            assertThat(Files.readAllBytes(path(reader))).hasSize(4096).startsWith(1, 2, 3);
        }
    }

    @Test
    void nobodyChangesASealedOneButAnybodyMapsItPrivately() throws Exception {
        try (var file = MemoryFile.create("podvm-test", 4096);
                var writer = file.writer()) {
            file.seal();
            assertThatThrownBy(() ->
                            Files.write(path(writer), new byte[] {1}, StandardOpenOption.WRITE))
                    .isInstanceOf(java.io.IOException.class);
            try (var channel = FileChannel.open(path(writer), StandardOpenOption.READ)) {
                var mapped = channel.map(FileChannel.MapMode.READ_ONLY, 0, 4096);
                assertThat(mapped.get(0)).isZero();
            }
        }
    }

    @Test
    void oneThatSomebodyMayStillWriteIsNotSealed() throws Exception {
        try (var file = MemoryFile.create("podvm-test", 4096);
                var writer = file.writer();
                var channel =
                        FileChannel.open(
                                path(writer), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            var mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, 4096);
            assertThatThrownBy(file::seal).isInstanceOf(PodException.class);
            mapped.put(0, (byte) 1);
        }
    }
}
