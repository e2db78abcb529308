package podvm.volume.share;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Whatever a guest sends: nothing is thrown, and nothing outside of the tree changes or shows. */
class ShareFuzzTest {
    private static final int MOST_NODES = 32;
    private static final int HEADER = 40;

    @MethodSource("requests")
    @FuzzTest(maxDuration = "5m")
    void aGuestMaySendAnything(byte[] bytes) throws Exception {
        var directory = Files.createTempDirectory("share-fuzz");
        try {
            var root = Files.createDirectories(directory.resolve("root/d"));
            Files.writeString(root.resolve("f"), "inside");
            Files.writeString(directory.resolve("secret"), "outside");
            Files.createSymbolicLink(root.resolve("out"), directory);
            var journal = Files.createDirectories(directory.resolve("state")).resolve("journal");
            try (var guest =
                    FuseGuest.of(directory.resolve("root"), journal, false, MOST_NODES, 4)) {
                var inner = guest.walk("d");
                guest.lookup(inner, "f");
                guest.lookup(inner, "out");
                for (var message : messages(bytes, inner)) {
                    guest.raw(message);
                }
                assertThat(guest.known()).isLessThanOrEqualTo(MOST_NODES);
            }
            assertThat(directory.resolve("secret")).hasContent("outside");
            try (var left = Files.list(directory)) {
                assertThat(left).hasSize(3);
            }
        } finally {
            delete(directory);
        }
    }

    /** Cut at lengths of their own; every second one with a right header and a known node. */
    private static Iterable<byte[]> messages(byte[] bytes, long node) {
        var messages = new java.util.ArrayList<byte[]>();
        var at = 0;
        while (at < bytes.length && messages.size() < 64) {
            var length = Math.min(bytes.length - at, 1 + (bytes[at] & 0xff));
            var message = Arrays.copyOfRange(bytes, at, at + length);
            if (length >= HEADER && messages.size() % 2 == 0) {
                var header = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
                header.putInt(0, length);
                header.putInt(4, header.getInt(4) & 63);
                header.putLong(8, messages.size() + 2);
                header.putLong(16, (message[16] & 1) == 0 ? node : message[16] & 7);
            }
            messages.add(message);
            at += length;
        }
        return messages;
    }

    static Stream<byte[]> requests() {
        return Stream.of(
                message(Opcode.LOOKUP, FuseGuest.body().text("f").bytes()),
                message(Opcode.LOOKUP, FuseGuest.body().text("../secret").bytes()),
                message(Opcode.SYMLINK, FuseGuest.body().text("a").text("/etc").bytes()),
                message(Opcode.CREATE, FuseGuest.body().u64(2).u64(0).text("n").bytes()),
                message(Opcode.RENAME2, FuseGuest.body().u64(1).u64(0).text("f").text("g").bytes()),
                message(Opcode.READ, FuseGuest.readBody(1, 0, 4096)),
                message(
                        Opcode.SETXATTR,
                        FuseGuest.body().u32(1).u32(0).text("user.a").u32(0).bytes()),
                message(Opcode.BATCH_FORGET, FuseGuest.body().u32(-1).u32(0).u64(2).u64(9).bytes()),
                message(Opcode.SETATTR, new byte[88]),
                new byte[39]);
    }

    private static byte[] message(int opcode, byte[] body) {
        return ByteBuffer.allocate(HEADER + body.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(HEADER + body.length)
                .putInt(opcode)
                .putLong(2)
                .putLong(0)
                .put(HEADER, body)
                .array();
    }

    private static void delete(Path directory) throws IOException {
        try (var all = Files.walk(directory)) {
            for (var path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
