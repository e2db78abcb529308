package podvm.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/** The command as a shell would run it, in this process. */
final class CommandLine {
    private final Path run;

    CommandLine(Path run) {
        this.run = run;
    }

    record Result(int code, String out, String err) {}

    Result podvm(String... arguments) {
        return withInput("", arguments);
    }

    Result withInput(String input, String... arguments) {
        var out = new ByteArrayOutputStream();
        var err = new ByteArrayOutputStream();
        var stdio =
                new Stdio(
                        new ByteArrayInputStream(input.getBytes(UTF_8)),
                        out,
                        err,
                        false,
                        false,
                        false,
                        Map.of("PODVM_RUN", run.toString()));
        var code = Main.run(List.of(arguments), stdio);
        return new Result(code, out.toString(UTF_8), err.toString(UTF_8));
    }
}
