package podvm.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

/** Writes tar's headers (POSIX, "ustar Interchange Format"). */
final class SampleTar {
    private static final int BLOCK = 512;

    private final OutputStream out;

    SampleTar(OutputStream out) {
        this.out = out;
    }

    void directory(String name) throws IOException {
        header('5', name, "", 0);
    }

    void link(String name, String target) throws IOException {
        header('2', name, target, 0);
    }

    void file(String name, int size) throws IOException {
        header('0', name, "", size);
    }

    void pad(int size) throws IOException {
        out.write(new byte[-size & (BLOCK - 1)]);
    }

    void end() throws IOException {
        out.write(new byte[2 * BLOCK]);
    }

    private void header(char type, String name, String link, int size) throws IOException {
        var block = new byte[BLOCK];
        put(block, 0, name);
        put(block, 100, "%07o".formatted(type == '0' ? 0644 : 0755));
        put(block, 108, "0000000\0000000000");
        put(block, 124, "%011o".formatted(size));
        put(block, 136, "14000000000");
        put(block, 148, "        " + type + link);
        put(block, 257, "ustar\00000");
        int sum = 0;
        for (byte octet : block) {
            sum += octet & 0xff;
        }
        put(block, 148, "%06o\0".formatted(sum));
        out.write(block);
    }

    private static void put(byte[] block, int at, String text) {
        var bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, block, at, bytes.length);
    }
}
