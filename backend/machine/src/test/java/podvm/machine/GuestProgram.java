package podvm.machine;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The smallest guests: an initramfs with one program of x86-64 machine code that says a line on the
 * console and then does one thing.
 */
public enum GuestProgram {
    /** pause(), for ever. */
    STAYS(0xb8, 34, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7),
    /** reboot(…, LINUX_REBOOT_CMD_POWER_OFF). */
    POWERS_OFF(
            0xb8, 169, 0, 0, 0, 0xbf, 0xad, 0xde, 0xe1, 0xfe, 0xbe, 0x69, 0x19, 0x12, 0x28, 0xba,
            0xdc, 0xfe, 0x21, 0x43, 0x0f, 0x05),
    /** exit(0), which no process 1 may do. */
    EXITS(0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05);

    static final String LINE = "podvm-bare";

    private static final long BASE = 0x400000;
    private static final int HEADERS = 64 + 56;

    private final byte[] deed;

    GuestProgram(int... code) {
        deed = new byte[code.length];
        for (var i = 0; i < code.length; i++) {
            deed[i] = (byte) code[i];
        }
    }

    public Path initramfs(Path directory) throws IOException {
        var archive = new ByteArrayOutputStream();
        entry(archive, "dev", 0040755, 0, 0, new byte[0]);
        entry(archive, "dev/console", 0020600, 5, 1, new byte[0]);
        entry(archive, "init", 0100755, 0, 0, elf());
        entry(archive, "TRAILER!!!", 0, 0, 0, new byte[0]);
        return Files.write(directory.resolve(name() + ".cpio"), archive.toByteArray());
    }

    /** An ELF64 executable of one segment (elf(5)). */
    private byte[] elf() {
        var line = (LINE + "\n").getBytes(StandardCharsets.US_ASCII);
        // write(1, line, length): the line follows the code
        var write = 5 + 5 + 7 + 5 + 2;
        var code = ByteBuffer.allocate(write + deed.length + line.length);
        code.order(ByteOrder.LITTLE_ENDIAN);
        code.put((byte) 0xb8).putInt(1).put((byte) 0xbf).putInt(1);
        code.put(new byte[] {0x48, (byte) 0x8d, 0x35}).putInt(7 + deed.length);
        code.put((byte) 0xba).putInt(line.length).put(new byte[] {0x0f, 0x05});
        code.put(deed).put(line);
        var size = HEADERS + code.capacity();
        var elf = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        elf.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
        elf.putShort((short) 2).putShort((short) 62).putInt(1).putLong(BASE + HEADERS);
        elf.putLong(64).putLong(0).putInt(0).putShort((short) 64).putShort((short) 56);
        elf.putShort((short) 1).position(64);
        elf.putInt(1).putInt(5).putLong(0).putLong(BASE).putLong(BASE);
        elf.putLong(size).putLong(size).putLong(4096).put(code.flip());
        return elf.array();
    }

    /** Linux: Documentation/driver-api/early-userspace/buffer-format.rst. */
    private static void entry(
            ByteArrayOutputStream out, String name, int mode, int major, int minor, byte[] data)
            throws IOException {
        var header = new StringBuilder("070701");
        int[] fields = {1, mode, 0, 0, 1, 0, data.length, 0, 0, major, minor, name.length() + 1, 0};
        for (var field : fields) {
            header.append(String.format("%08x", field));
        }
        out.write(header.append(name).append('\0').toString().getBytes(StandardCharsets.US_ASCII));
        pad(out);
        out.write(data);
        pad(out);
    }

    private static void pad(ByteArrayOutputStream out) {
        while (out.size() % 4 != 0) {
            out.write(0);
        }
    }
}
