package podvm.cri.streaming;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import podvm.cri.streaming.TerminalSizes.Size;

class TerminalSizesTest {
    private final TerminalSizes sizes = new TerminalSizes();

    @Test
    void anObjectMayComeInPieces() {
        assertThat(sizes.read("{\"Width\":80,\"He".getBytes(UTF_8))).isEmpty();
        assertThat(sizes.read("ight\":24}\n{\"Height\":1,\"Width\":2}".getBytes(UTF_8)))
                .containsExactly(new Size(80, 24), new Size(2, 1));
    }

    @Test
    void nonsenseIsSkipped() {
        assertThat(sizes.read("{}{\"Width\":9999999,\"Height\":1}[]".getBytes(UTF_8))).isEmpty();
        assertThat(sizes.read(new byte[10_000])).isEmpty();
        assertThat(sizes.read("{\"Width\":1,\"Height\":1}".getBytes(UTF_8))).hasSize(1);
    }
}
