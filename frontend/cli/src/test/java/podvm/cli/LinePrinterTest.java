package podvm.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import org.junit.jupiter.api.Test;
import podvm.proto.node.v1.LogLine;

class LinePrinterTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private LinePrinter printer(boolean terminal, Map<String, String> env) {
        return new LinePrinter(
                new Stdio(InputStream.nullInputStream(), out, err, false, terminal, false, env),
                false);
    }

    private static LogLine line(String text, boolean partial) {
        return LogLine.newBuilder()
                .setStream(1)
                .setText(ByteString.copyFromUtf8(text))
                .setPartial(partial)
                .build();
    }

    @Test
    void partsOfALineAreJoinedThoughOthersComeBetween() throws IOException {
        var printer = printer(false, Map.of());
        printer.prefix("a");
        printer.prefix("long");
        printer.print("a", line("one ", true));
        printer.print("long", line("other", false));
        printer.print("a", line("line", false));
        printer.print("long", line("unended", true));
        printer.finish();
        assertThat(out.toString(UTF_8))
                .isEqualTo("long | other\na    | one line\nlong | unended\n");
    }

    @Test
    void coloursAreForTerminalsOfPeopleWhoDoNotRefuseThem() throws IOException {
        var colourful = printer(true, Map.of());
        colourful.prefix("a");
        colourful.print("a", line("x", false));
        assertThat(out.toString(UTF_8)).isEqualTo("\033[36ma | \033[0mx\n");
        out.reset();
        var plain = printer(true, Map.of("NO_COLOR", "1"));
        plain.prefix("a");
        plain.print("a", line("x", false));
        assertThat(out.toString(UTF_8)).isEqualTo("a | x\n");
    }

    @Test
    void aLineWithoutEndIsNotKeptForEver() throws IOException {
        var printer = printer(false, Map.of());
        for (var i = 0; i < 300; i++) {
            printer.print("a", line("x".repeat(10_000), true));
        }
        assertThat(out.size()).isGreaterThan(2 << 20);
    }
}
