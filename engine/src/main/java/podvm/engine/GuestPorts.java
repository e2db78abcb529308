package podvm.engine;

/** The ports at which programs of the pod listen. */
public interface GuestPorts {
    /**
     * Connects to a port of the pod's loopback: where a program listens there, or on any address.
     * Fails with CONFLICT where nobody listens.
     */
    PortConnection connect(int port) throws PodException, InterruptedException;
}
