package podvm.cri.streaming;

import java.nio.file.Path;

/** How the streaming server protects what it carries. */
public sealed interface StreamTls {
    /** Not at all: for an address of this node that nobody else can read. */
    record Plain() implements StreamTls {}

    /** With a certificate that is made anew at each start: it keeps secrets, and proves nothing. */
    record SelfSigned() implements StreamTls {}

    /**
     * With a certificate of the node's owner, read again when it has changed.
     *
     * @param certificate PEM, with the chain that clients need
     * @param key PEM, PKCS#8 without a passphrase
     */
    record KeyPair(Path certificate, Path key) implements StreamTls {}
}
