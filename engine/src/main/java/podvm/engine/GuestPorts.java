package podvm.engine;

import podvm.engine.PodException.Kind;

/** The ports at which programs of the pod listen. */
public interface GuestPorts {
    /**
     * Connects to a port of the pod's loopback: where a program listens there, or on any address.
     * Fails with CONFLICT where nobody listens.
     */
    PortConnection connect(int port) throws PodException, InterruptedException;

    /** Fails with INVALID for a number that no port has. */
    static int check(int port) throws PodException {
        if (port < 1 || port > 65_535) {
            throw new PodException(Kind.INVALID, "not a port: " + port, "use 1 to 65535");
        }
        return port;
    }
}
