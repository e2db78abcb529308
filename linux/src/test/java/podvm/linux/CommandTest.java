package podvm.linux;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

@Timeout(30)
class CommandTest {
    @TempDir Path temporary;

    @Test
    void anExitStatusIsLearned() throws Exception {
        assertThat(end("exit 7")).isEqualTo(new ProcessEnd.Exited(7));
    }

    @Test
    void aSignalIsLearned() throws Exception {
        assertThat(end("kill -9 $$")).isEqualTo(new ProcessEnd.Killed(Signal.KILL));
    }

    @Test
    void outputAndErrorsGoToTheFile() throws Exception {
        end("echo out; echo err >&2");
        assertThat(log()).isEqualTo("out\nerr\n");
    }

    @Test
    void standardInputIsEmpty() throws Exception {
        assertThat(end("read line")).isEqualTo(new ProcessEnd.Exited(1));
    }

    @Test
    void itHasASessionOfItsOwn() throws Exception {
        end("cut -d' ' -f1,6 /proc/$$/stat");
        var numbers = log().strip().split(" ");
        assertThat(numbers[0]).isEqualTo(numbers[1]);
    }

    @Test
    void itWorksInItsDirectory() throws Exception {
        end("pwd -P");
        assertThat(log().strip()).isEqualTo(temporary.toRealPath().toString());
    }

    @Test
    void itsEnvironmentIsWhatWasGiven() throws Exception {
        end("/usr/bin/env | grep -v '^PWD\\|^SHLVL\\|^OLDPWD\\|^_='");
        assertThat(log()).isEqualTo("WORD=given\n");
    }

    @Test
    void onlyNamedDescriptorsAreInheritedInTheirOrder() throws Exception {
        var first = Files.writeString(temporary.resolve("first"), "1\n");
        var second = Files.writeString(temporary.resolve("second"), "2\n");
        try (var a = Descriptor.readOnly(first);
                var b = Descriptor.readOnly(second)) {
            end("cat <&4 <&4; cat <&3; ls /proc/$$/fd | tr '\\n' ' '", b, a, a);
        }
        assertThat(log()).startsWith("1\n2\n0 1 2 3 4 5 ").doesNotContain(" 6 ");
    }

    /** But 32 and 33, which the C library keeps to itself and a parent may have ignored. */
    @Test
    void noSignalIsBlockedOrIgnored() throws Exception {
        // not of the shell: it blocks signals itself while it starts a program
        end("exec grep -E '^Sig(Blk|Ign)' /proc/self/status");
        for (var line : log().lines().toList()) {
            var signals = Long.parseUnsignedLong(line.substring(line.indexOf('\t') + 1), 16);
            assertThat(signals & 0x7fff_ffffL).as(line).isZero();
        }
    }

    @Test
    void aMissingProgramIsToldByName() throws Exception {
        try (var output = Descriptor.append(temporary.resolve("log"))) {
            var missing = new Command(List.of("/no/such"), List.of(), temporary, output, List.of());
            assertThatThrownBy(missing::start)
                    .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                    .matches(e -> e.kind() == Kind.NOT_FOUND)
                    .matches(e -> e.getMessage().contains("/no/such"))
                    .matches(e -> e.getMessage().contains("ENOENT"));
        }
    }

    @Test
    void aProcessLivesUntilItIsKilled() throws Exception {
        try (var process = start("sleep 60")) {
            assertThat(process.alive()).isTrue();
            try (var other = HostProcess.open(process.pid())) {
                other.signal(Signal.KILL);
            }
            assertThat(process.await(soon())).isEqualTo(new ProcessEnd.Killed(Signal.KILL));
            process.signal(Signal.KILL);
        }
    }

    @Test
    void aWaitEndsAtItsDeadline() throws Exception {
        try (var process = start("sleep 60")) {
            assertThatThrownBy(() -> process.await(Deadline.after(Duration.ofMillis(50))))
                    .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                    .matches(e -> e.kind() == Kind.DEADLINE);
            process.signal(Signal.KILL);
            process.await(soon());
        }
    }

    @Test
    void aProcessThatIsGoneIsNotFound() throws Exception {
        var process = start("exit 0");
        process.await(soon());
        process.close();
        assertThatThrownBy(() -> HostProcess.open(process.pid()))
                .asInstanceOf(InstanceOfAssertFactories.type(PodException.class))
                .matches(e -> e.kind() == Kind.NOT_FOUND);
    }

    private ProcessEnd end(String script, Descriptor... inherited) throws Exception {
        try (var process = start(script, inherited)) {
            return process.await(soon());
        }
    }

    private HostProcess start(String script, Descriptor... inherited) throws PodException {
        try (var output = Descriptor.append(temporary.resolve("log"))) {
            return new Command(
                            List.of("/bin/sh", "-c", script),
                            List.of("WORD=given"),
                            temporary,
                            output,
                            List.of(inherited))
                    .start();
        }
    }

    private String log() throws Exception {
        return Files.readString(temporary.resolve("log"));
    }

    private static Deadline soon() {
        return Deadline.after(Duration.ofSeconds(20));
    }
}
