package podvm.engine;

/** A machine's network device, seen from the host. */
public sealed interface Nic {
    String mac();

    /**
     * The VMM's own user-mode network stack: needs no privilege, reaches out, cannot be reached.
     */
    record User(String mac) implements Nic {}
}
