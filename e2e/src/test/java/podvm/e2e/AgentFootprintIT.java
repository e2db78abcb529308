package podvm.e2e;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The agent is in every machine, so what it takes is taken as often as there are pods. */
class AgentFootprintIT {
    private static final long MOST_RESIDENT_BYTES = 4_000_000;
    private static final long MOST_BINARY_BYTES = 5_000_000;

    @RegisterExtension static final Node node = Node.ordinary();

    @Test
    void anAgentWhosePodHasStartedTakesAtMostFourMegabytes() throws Exception {
        node.running(
                """
                apiVersion: v1
                kind: Pod
                metadata: {name: measured}
                spec:
                  terminationGracePeriodSeconds: 1
                  containers:
                    - {name: main, image: "localhost/box:1", command: [sleep, "100000"]}
                """);
        Wait.until("the agent was measured", () -> residentBytes() > 0);

        System.out.println("agent: " + residentBytes() + " bytes resident");
        assertThat(residentBytes()).isBetween(100_000L, MOST_RESIDENT_BYTES);
    }

    private static long residentBytes() throws Exception {
        return node.inspect("measured").path("agentRssBytes").asLong();
    }

    @Test
    void theAgentsProgramIsAtMostFiveMegabytesLong() throws Exception {
        var size = sizeIn(Files.readAllBytes(Distribution.guest().resolve("initramfs.cpio")));

        System.out.println("agent: " + size + " bytes of program");
        assertThat(size).isBetween(100_000L, MOST_BINARY_BYTES);
    }

    /**
     * The size of /init in an archive of format "newc" (Linux,
     * Documentation/driver-api/early-userspace/buffer-format.rst): headers of 110 characters, names
     * and contents aligned to four bytes.
     */
    private static long sizeIn(byte[] archive) {
        for (var at = 0; ; ) {
            var size = hexadecimal(archive, at + 54);
            var nameSize = hexadecimal(archive, at + 94);
            var name = new String(archive, at + 110, nameSize - 1, US_ASCII);
            if (name.equals("init")) {
                return size;
            }
            assertThat(name).as("a name in an archive that has /init").isNotEqualTo("TRAILER!!!");
            at = aligned(aligned(at + 110 + nameSize) + size);
        }
    }

    private static int hexadecimal(byte[] archive, int at) {
        return Integer.parseInt(US_ASCII.decode(ByteBuffer.wrap(archive, at, 8)), 0, 8, 16);
    }

    private static int aligned(int position) {
        return (position + 3) & -4;
    }
}
