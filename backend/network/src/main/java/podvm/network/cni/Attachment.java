package podvm.network.cni;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import podvm.engine.NetworkRequest.Dns;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.PodNetwork.Interface;
import tools.jackson.databind.node.ObjectNode;

/**
 * All that must be known to undo a pod's connection, by a later daemon and after the network's
 * configuration has changed: written before the first plugin is called, and again when the last has
 * answered.
 *
 * @param pod its id
 * @param name of the pod, for messages
 * @param network as configured when the pod came
 * @param arguments CNI_ARGS
 * @param capabilities by name, what each plugin is told that asks for it
 * @param dns what the pod asks for
 * @param devices of the machine, how many
 * @param result of the chain, once it has one
 * @param connection as the guest is told of it, once it is made
 */
record Attachment(
        String pod,
        String name,
        String source,
        ObjectNode network,
        String arguments,
        ObjectNode capabilities,
        Dns dns,
        int devices,
        Optional<ObjectNode> result,
        Optional<Connection> connection) {
    /** Of the first interface, as the kubelet expects it. */
    static final String INTERFACE = "eth0";

    private static final Path NAMESPACES = Path.of("/run/netns");

    /** What the guest is told. */
    record Connection(
            List<Interface> interfaces,
            List<String> nameservers,
            List<String> searchDomains,
            List<String> resolverOptions,
            List<String> ips) {}

    NetworkList list() throws PodException {
        return NetworkList.of(source, network);
    }

    PodId id() {
        return new PodId(pod);
    }

    /** By which {@code ip netns} knows it. */
    static String namespace(PodId pod) {
        return "podvm-" + pod.text();
    }

    static Path namespaceFile(PodId pod) {
        return NAMESPACES.resolve(namespace(pod));
    }

    Map<String, String> environment() {
        var environment = new HashMap<String, String>();
        environment.put("CNI_CONTAINERID", pod);
        environment.put("CNI_NETNS", namespaceFile(id()).toString());
        environment.put("CNI_IFNAME", INTERFACE);
        environment.put("CNI_ARGS", arguments);
        return environment;
    }

    Attachment withResult(ObjectNode itsResult) {
        return new Attachment(
                pod,
                name,
                source,
                network,
                arguments,
                capabilities,
                dns,
                devices,
                Optional.of(itsResult),
                connection);
    }

    Attachment connected(int itsDevices, Connection itsConnection) {
        return new Attachment(
                pod,
                name,
                source,
                network,
                arguments,
                capabilities,
                dns,
                itsDevices,
                result,
                Optional.of(itsConnection));
    }
}
