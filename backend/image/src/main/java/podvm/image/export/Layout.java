package podvm.image.export;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import podvm.engine.Digest;

/** Writes an image layout as a tar (OCI image specification, "Image Layout"). */
public final class Layout {
    private final Map<Digest, Blob> blobs = new LinkedHashMap<>();
    private final byte[] index;

    /** Writes the same bytes each time. */
    public interface Content {
        void write(OutputStream out) throws IOException;
    }

    private record Blob(long bytes, Content content) {}

    /**
     * @param index the content of index.json
     */
    public Layout(byte[] index) {
        this.index = index;
    }

    /** A blob that is there already is written once. */
    public void add(Digest digest, long bytes, Content content) {
        blobs.putIfAbsent(digest, new Blob(bytes, content));
    }

    /** Writes it whole; the stream stays open. */
    public void write(OutputStream out) throws IOException {
        var tar = new TarOutput(out);
        file(tar, out, "oci-layout", utf("{\"imageLayoutVersion\":\"1.0.0\"}"));
        file(tar, out, "index.json", index);
        tar.begin(TarOutput.Entry.directory("blobs/"));
        tar.begin(TarOutput.Entry.directory("blobs/sha256/"));
        for (var entry : blobs.entrySet()) {
            var blob = entry.getValue();
            tar.begin(TarOutput.Entry.file("blobs/sha256/" + entry.getKey().hex(), blob.bytes()));
            var counted = new CountedOutput(out);
            blob.content().write(counted);
            if (counted.bytes() != blob.bytes()) {
                throw new IOException(
                        "blob %s has %d bytes, %d were announced"
                                .formatted(entry.getKey(), counted.bytes(), blob.bytes()));
            }
            tar.pad(blob.bytes());
        }
        tar.end();
        out.flush();
    }

    private static void file(TarOutput tar, OutputStream out, String name, byte[] bytes)
            throws IOException {
        tar.begin(TarOutput.Entry.file(name, bytes.length));
        out.write(bytes);
        tar.pad(bytes.length);
    }

    private static byte[] utf(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
