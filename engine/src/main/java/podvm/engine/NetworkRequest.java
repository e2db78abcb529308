package podvm.engine;

import java.util.List;
import java.util.Map;

/**
 * What a network must know of a pod.
 *
 * @param uid as the API server knows the pod; may be empty
 * @param ports those with a host port are reached through the node
 * @param dns comes before what the network says itself
 * @param sandbox the id by which whoever asked for the pod knows it
 */
public record NetworkRequest(
        PodId pod,
        String namespace,
        String name,
        String uid,
        Map<String, String> annotations,
        NetworkChoice network,
        List<PortMapping> ports,
        Dns dns,
        String sandbox) {

    /**
     * @param hostPort 0: not mapped
     * @param hostIp empty: every address of the node
     */
    public record PortMapping(Protocol protocol, int containerPort, int hostPort, String hostIp) {
        public enum Protocol {
            TCP,
            UDP,
            SCTP
        }
    }

    /** Empty lists: the network's own. */
    public record Dns(List<String> servers, List<String> searches, List<String> options) {
        public static final Dns OF_NETWORK = new Dns(List.of(), List.of(), List.of());
    }
}
