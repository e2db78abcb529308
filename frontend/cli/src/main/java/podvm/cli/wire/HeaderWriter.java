package podvm.cli.wire;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;

/** Writes the header block of a call: plain literals, which every server can read. */
final class HeaderWriter {
    private static final int METHOD_POST = 0x80 | 3;
    private static final int SCHEME_HTTP = 0x80 | 6;
    private static final int AUTHORITY = 1;
    private static final int PATH = 4;
    private static final int USER_AGENT = 58;
    private static final int CONTENT_TYPE = 31;

    private final ByteArrayOutputStream block = new ByteArrayOutputStream(160);

    private HeaderWriter() {}

    static byte[] call(String path) {
        var writer = new HeaderWriter();
        writer.block.write(METHOD_POST);
        writer.block.write(SCHEME_HTTP);
        writer.literal(PATH, path);
        writer.literal(AUTHORITY, "localhost");
        writer.literal(CONTENT_TYPE, "application/grpc");
        writer.literal(USER_AGENT, "podvm");
        writer.block.write(0);
        writer.string("te");
        writer.string("trailers");
        return writer.block.toByteArray();
    }

    private void literal(int name, String value) {
        if (name < 15) {
            block.write(name);
        } else {
            block.write(15);
            block.write(name - 15);
        }
        string(value);
    }

    private void string(String text) {
        var bytes = text.getBytes(US_ASCII);
        if (bytes.length >= 127) {
            throw new IllegalArgumentException("header too long: " + text);
        }
        block.write(bytes.length);
        block.writeBytes(bytes);
    }
}
