package podvm.cri.streaming;

import java.io.IOException;

/** A client that has brought all streams of a process, whatever protocol carries them. */
interface Client {
    Inflow stdin();

    /** JSON objects, one after the other. */
    Inflow resizes();

    void stdout(byte[] data) throws IOException, InterruptedException;

    void stderr(byte[] data) throws IOException, InterruptedException;

    /**
     * The last word.
     *
     * @param status a Kubernetes Status as JSON
     */
    void finish(byte[] status) throws IOException, InterruptedException;

    /** For good, without a last word. */
    void drop();
}
