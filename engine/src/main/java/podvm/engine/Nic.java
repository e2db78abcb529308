package podvm.engine;

import java.nio.file.Path;

/** A machine's network device, seen from the host. */
public sealed interface Nic {
    String mac();

    /**
     * The VMM's own user-mode network stack: needs no privilege, reaches out, cannot be reached.
     */
    record User(String mac) implements Nic {}

    /**
     * A tap device; it exists.
     *
     * @param namespace file of the network namespace that it is in
     */
    record Tap(String mac, Path namespace, String device) implements Nic {}
}
