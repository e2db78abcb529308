package podvm.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import podvm.proto.node.v1.TransferProgress;

class TransfersTest {
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private Stdio stdio(boolean terminal) {
        return new Stdio(
                InputStream.nullInputStream(),
                new ByteArrayOutputStream(),
                err,
                false,
                false,
                terminal,
                Map.of());
    }

    private static TransferProgress at(String step, long done, long total) {
        return TransferProgress.newBuilder().setStep(step).setDone(done).setTotal(total).build();
    }

    /** What a terminal of many lines would show. */
    private List<String> screen() {
        var lines = new java.util.ArrayList<String>();
        int row = 0;
        for (var piece : err.toString(UTF_8).split("\n")) {
            var up = piece.startsWith("\033[") ? piece.substring(2, piece.indexOf('A')) : "0";
            row -= Integer.parseInt(up);
            var text = piece.substring(piece.indexOf('\r') + 1).replace("\033[K", "");
            if (row == lines.size()) {
                lines.add(text);
            } else {
                lines.set(row, text);
            }
            row++;
        }
        return lines;
    }

    @Test
    void aTerminalHasABarForEachPartThatFillsInPlace() {
        try (var transfers = Transfers.told(stdio(true), "pulling")) {
            transfers.at(at("manifest", 0, -1));
            transfers.at(at("layer a", 0, 2000));
            transfers.at(at("layer b", 500, 500));
            transfers.at(at("layer a", 1000, 2000));
        }
        assertThat(screen())
                .containsExactly(
                        "layer a              [===============               ] 1.0 kB of 2.0 kB",
                        "layer b              [==============================] 500 B of 500 B");
    }

    @Test
    void manyPartsDoNotOutgrowTheTerminal() {
        try (var transfers = Transfers.told(stdio(true), "pulling")) {
            for (int part = 0; part < 40; part++) {
                transfers.at(at("layer " + part, 10, 10));
            }
        }
        assertThat(screen()).hasSize(13).first().isEqualTo("pulling: 28 parts before these");
    }

    @Test
    void withoutATerminalEachPartIsToldOnceWhenItIsThere() {
        try (var transfers = Transfers.told(stdio(false), "pulling")) {
            transfers.at(at("layer a", 0, 2000));
            transfers.at(at("layer a", 2000, 2000));
            transfers.at(at("layer a", 2000, 2000));
            assertThat(transfers.summary()).matches("2.0 kB in \\d+\\.\\d s, .*B/s");
        }
        assertThat(err.toString(UTF_8)).isEqualTo("layer a: 2.0 kB\n");
    }
}
