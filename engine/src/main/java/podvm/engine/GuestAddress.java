package podvm.engine;

import java.nio.file.Path;

/** Where a machine's agent is reached. */
public sealed interface GuestAddress {
    /**
     * A Unix socket that carries a virtio-serial port: one connection at a time, opened with a
     * nonce.
     */
    record Serial(Path socket) implements GuestAddress {}
}
