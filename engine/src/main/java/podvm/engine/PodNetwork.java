package podvm.engine;

import java.util.List;

/**
 * A pod's connection; closing it gives it back. Plain data otherwise, so that it can be journalled.
 */
public interface PodNetwork extends AutoCloseable {
    /** Devices for the machine. */
    List<Nic> nics();

    /** What the agent sets up, device by device. */
    List<Interface> interfaces();

    List<String> nameservers();

    List<String> searchDomains();

    /** The pod's addresses without prefix length, primary first. */
    List<String> ips();

    @Override
    void close() throws PodException;

    /**
     * @param addresses in CIDR form
     */
    record Interface(
            String mac, String name, List<String> addresses, List<Route> routes, int mtu) {}

    /**
     * @param destination in CIDR form
     * @param gateway empty: on link
     */
    record Route(String destination, String gateway) {}
}
