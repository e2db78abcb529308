package podvm.network.cni;

import java.nio.file.Path;
import java.util.List;
import podvm.engine.NetworkRequest.Dns;
import podvm.engine.PodException;
import podvm.engine.PodNetwork.Interface;
import podvm.network.ResolvConf;
import podvm.network.cni.Attachment.Connection;

/** How a pod resolves names: as it asks itself, else as its network says, else as the host does. */
record ResolverNames(Dns pod, CniResult network, Path host) {
    Connection connection(List<Interface> interfaces) throws PodException {
        var resolvConf = ResolvConf.reachable(host);
        var ips = network.ips();
        return new Connection(
                interfaces,
                first(pod.servers(), network.nameservers(), resolvConf.nameservers()),
                first(pod.searches(), network.searchDomains(), resolvConf.searchDomains()),
                first(pod.options(), network.resolverOptions(), resolvConf.options()),
                ips.isEmpty() ? addresses(interfaces) : ips);
    }

    /** Where servers are given, an empty list of search domains is what is meant. */
    private List<String> first(List<String> asked, List<String> told, List<String> found) {
        if (!pod.servers().isEmpty() || !asked.isEmpty()) {
            return asked;
        }
        return !network.nameservers().isEmpty() || !told.isEmpty() ? told : found;
    }

    private static List<String> addresses(List<Interface> interfaces) {
        return interfaces.stream()
                .flatMap(one -> one.addresses().stream())
                .map(address -> address.replaceFirst("/.*", ""))
                .toList();
    }
}
