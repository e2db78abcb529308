package podvm.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LogTailTest {
    @TempDir Path temporary;

    @Test
    void theLastLinesAreTold() {
        assertThat(LogTail.last("1\n2\n\n3\n", 2)).isEqualTo("2\n3");
    }

    @Test
    void aTerminalIsNotAtTheGuestsMercy() {
        assertThat(LogTail.last("\u001b[2Jgone\u0007\r\n", 5)).isEqualTo(" [2Jgone");
    }

    @Test
    void anEndlessLineIsCut() {
        assertThat(LogTail.last("x".repeat(5000), 1)).hasSizeLessThan(400);
    }

    @Test
    void onlyTheEndOfALongLogIsRead() throws Exception {
        var log = Files.writeString(temporary.resolve("log"), "x\n".repeat(100_000) + "last\n");
        assertThat(LogTail.of(log, 1)).isEqualTo("last");
    }

    @Test
    void aMissingLogIsEmpty() {
        assertThat(LogTail.of(temporary.resolve("none"), 1)).isEmpty();
    }
}
