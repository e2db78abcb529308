package podvm.engine;

import java.nio.file.Path;

/** A machine's network device, seen from the host. */
public sealed interface Nic {
    String mac();

    /**
     * A hardware address that all pods' machines have in common, so that they are alike and can be
     * copies of one. Where others see the device, the guest gives it the one of its interface.
     * Locally administered, for one station (IEEE 802, bits 1 and 0).
     *
     * @param device which of the machine's
     */
    static String commonMac(int device) {
        return "02:00:00:00:00:%02x".formatted(device);
    }

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

    /**
     * Of a machine that nobody runs anything in: it leads nowhere.
     *
     * @param like what copies of the machine have instead; the guest cannot tell them apart
     */
    record Unplugged(Nic like) implements Nic {
        @Override
        public String mac() {
            return like.mac();
        }
    }
}
