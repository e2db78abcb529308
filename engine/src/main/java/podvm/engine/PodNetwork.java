package podvm.engine;

import java.util.List;

/**
 * A pod's connection; closing it gives it back. Plain data otherwise, so that it can be journalled.
 */
public interface PodNetwork extends AutoCloseable {
    /** Devices for the machine. */
    List<Nic> nics();

    /**
     * Makes the connection; returns when packets can flow. What follows here is known from then on.
     */
    void connect(Deadline deadline) throws PodException, InterruptedException;

    /** What the agent sets up, device by device. */
    List<Interface> interfaces();

    List<String> nameservers();

    List<String> searchDomains();

    /** Of resolv.conf, such as "ndots:5". */
    List<String> resolverOptions();

    /** The pod's addresses without prefix length, primary first. */
    List<String> ips();

    @Override
    void close() throws PodException;

    /**
     * @param mac of the device, by which it is found
     * @param address hardware address that it is given; empty: it keeps its own
     * @param addresses in CIDR form
     * @param routes in the order in which they can be added
     */
    record Interface(
            String mac,
            String address,
            String name,
            List<String> addresses,
            List<Route> routes,
            List<Neighbor> neighbors,
            int mtu) {}

    /**
     * @param destination in CIDR form
     * @param gateway empty: on link
     * @param metric 0: the kernel's choice
     * @param onLink the gateway is a neighbor though no address of ours says so
     * @param source the address to speak from; empty: the kernel's choice
     * @param mtu 0: the interface's
     */
    record Route(
            String destination,
            String gateway,
            int metric,
            boolean onLink,
            String source,
            int mtu) {
        public Route(String destination, String gateway) {
            this(destination, gateway, 0, false, "", 0);
        }
    }

    /** One whose hardware address is given, and not asked for. */
    record Neighbor(String ip, String mac) {}
}
