package podvm.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * A part of the conformance tests of CRI: one spec of each kind of thing that needs a machine, a
 * network and a client at once. All of them are {@code ./dev critest}'s, which takes ten minutes.
 */
class ConformanceIT {
    private static final List<String> SPECS =
            List.of(
                    "adding capability",
                    "blocks setting hostname with",
                    "SupplementalGroupsPolicy=",
                    "support NamespaceMode_POD",
                    "starting container with volume \\[",
                    "listing container stats",
                    "reopening container log",
                    "DNS config",
                    "portforward \\[",
                    "tty=true");

    private static final int MINUTES = 12;

    @RegisterExtension static final BeforeAllCallback leaks = LeakCheck::ofModule;

    @Test
    void specsOfEachKindPass() throws Exception {
        var why = whyNot();
        if (!why.isEmpty()) {
            System.out.println("skipped: " + why);
        }
        assumeTrue(why.isEmpty(), why);
        var command =
                new ProcessBuilder(
                                System.getProperty("podvm.critest"),
                                "--product",
                                Distribution.here().home().toString(),
                                "--focus",
                                String.join("|", SPECS))
                        .redirectErrorStream(true);
        command.environment().put("PODVM_GUEST", Distribution.guest().toString());
        var run = command.start();
        try {
            var said = CompletableFuture.supplyAsync(() -> said(run));
            assertThat(run.waitFor(MINUTES, TimeUnit.MINUTES)).as("critest ends").isTrue();
            System.out.println(said.get());
            assertThat(run.exitValue()).as(said.get()).isZero();
        } finally {
            run.destroy();
        }
    }

    private static String said(Process run) {
        try (var output = run.getInputStream()) {
            return new String(output.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String whyNot() throws Exception {
        if (!Host.has("go") && !Files.isExecutable(Path.of("/usr/local/go/bin/go"))) {
            return "no go on the PATH to build critest with";
        }
        return Host.isRoot() ? "" : "pods on a CNI network need root";
    }
}
