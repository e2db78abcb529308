package podvm.machine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.PodId;

@Timeout(30)
class ConsoleTest {
    @TempDir Path run;

    @Test
    void whatTheGuestWritesIsInTheFile() throws Exception {
        var directory = after("hello\n");
        assertThat(directory.consoleLog()).hasContent("hello");
    }

    @Test
    void theFileKeepsTheNewestAndStaysSmall() throws Exception {
        var directory = after("0123456789abcde\n".repeat(100_000) + "the end\n");
        assertThat(Files.size(directory.consoleLog())).isBetween(1L << 19, 1L << 20);
        assertThat(LogTail.of(directory.consoleLog(), 1)).isEqualTo("the end");
    }

    @Test
    void aPanicIsFoundBeforeItsCallTrace() throws Exception {
        var directory = directory();
        try (var server = listen(directory);
                var console = Console.follow(directory);
                var guest = server.accept()) {
            var text = "[ 1.0] Kernel panic - not syncing: test\n" + "trace\n".repeat(50);
            guest.write(ByteBuffer.wrap(text.getBytes(UTF_8)));
            guest.shutdownOutput();
            console.awaitEnd(Duration.ofSeconds(20));
            assertThat(console.panic()).contains("[ 1.0] Kernel panic - not syncing: test");
            // the reason is kept, although twenty later lines are
            assertThat(console.tail().lines())
                    .hasSize(21)
                    .startsWith("[ 1.0] Kernel panic - not syncing: test");
        }
    }

    @Test
    void anotherDaemonAppends() throws Exception {
        var directory = directory();
        Files.writeString(directory.consoleLog(), "before\n");
        feed(directory, "after\n");
        assertThat(directory.consoleLog()).hasContent("before\nafter");
    }

    private PodDirectory after(String text) throws Exception {
        var directory = directory();
        feed(directory, text);
        return directory;
    }

    private PodDirectory directory() throws Exception {
        var directory = PodDirectory.of(PodDirectory.prepare(run), PodId.random());
        directory.create();
        return directory;
    }

    private static void feed(PodDirectory directory, String text) throws Exception {
        try (var server = listen(directory);
                var console = Console.follow(directory);
                var guest = server.accept()) {
            var bytes = ByteBuffer.wrap(text.getBytes(UTF_8));
            while (bytes.hasRemaining()) {
                guest.write(bytes);
            }
            guest.shutdownOutput();
            console.awaitEnd(Duration.ofSeconds(20));
        }
    }

    private static ServerSocketChannel listen(PodDirectory directory) throws Exception {
        return ServerSocketChannel.open(StandardProtocolFamily.UNIX)
                .bind(UnixDomainSocketAddress.of(directory.consoleSocket()));
    }
}
