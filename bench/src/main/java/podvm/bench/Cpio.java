package podvm.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/**
 * Files for an initramfs, in the "newc" format of cpio(5). The kernel unpacks archives that follow
 * each other; what comes later replaces what was there.
 */
final class Cpio {
    private static final int DIRECTORY = 040755;
    private static final int PROGRAM = 0100755;

    private final OutputStream out;
    private int written;

    Cpio(OutputStream out) {
        this.out = out;
    }

    void directory(String name) throws IOException {
        header(name, DIRECTORY, 0);
    }

    void program(String name, byte[] content) throws IOException {
        header(name, PROGRAM, content.length);
        write(content);
        align();
    }

    void end() throws IOException {
        header("TRAILER!!!", 0, 0);
    }

    private void header(String name, int mode, int size) throws IOException {
        int[] fields = {0, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name.length() + 1, 0};
        var header = new StringBuilder("070701");
        for (int field : fields) {
            header.append("%08x".formatted(field));
        }
        write(header.append(name).append('\0').toString().getBytes(StandardCharsets.US_ASCII));
        align();
    }

    private void write(byte[] bytes) throws IOException {
        out.write(bytes);
        written += bytes.length;
    }

    private void align() throws IOException {
        write(new byte[-written & 3]);
    }
}
