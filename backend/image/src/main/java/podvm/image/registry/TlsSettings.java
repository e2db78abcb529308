package podvm.image.registry;

import java.nio.file.Path;
import java.util.List;

/**
 * How a server is trusted and this node is known to it.
 *
 * @param authorities certificates trusted besides the system's
 * @param skipVerify whether anybody may pretend to be the server
 */
record TlsSettings(List<Path> authorities, List<Identity> identities, boolean skipVerify) {
    static final TlsSettings DEFAULT = new TlsSettings(List.of(), List.of(), false);

    /**
     * @param key may be the same file
     */
    record Identity(Path certificate, Path key) {}

    boolean isDefault() {
        return equals(DEFAULT);
    }
}
