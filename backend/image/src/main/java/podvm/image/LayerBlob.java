package podvm.image;

import java.io.IOException;
import java.io.InputStream;
import podvm.engine.Digest;
import podvm.engine.PodException;

/**
 * A layer as it is published, perhaps compressed.
 *
 * @param diffId digest of its tar
 */
record LayerBlob(Digest diffId, Source source) {
    /** Opens the stream of a blob, which checks itself as far as something is known about it. */
    interface Source {
        InputStream open() throws IOException, PodException, InterruptedException;
    }

    /** How it is called in messages and progress. */
    static String shown(Digest digest) {
        return "layer " + digest.hex().substring(0, 12);
    }
}
