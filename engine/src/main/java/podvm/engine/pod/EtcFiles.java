package podvm.engine.pod;

import java.util.List;
import podvm.engine.NetworkRequest.Dns;
import podvm.engine.PodNetwork;
import podvm.engine.PodSpec;

/** The files below /etc that a pod's containers share. */
final class EtcFiles {
    private EtcFiles() {}

    static String hosts(PodSpec pod, List<String> ips) {
        var text =
                new StringBuilder(
                        """
                        127.0.0.1\tlocalhost
                        ::1\tlocalhost ip6-localhost ip6-loopback
                        fe00::\tip6-localnet
                        ff00::\tip6-mcastprefix
                        ff02::1\tip6-allnodes
                        ff02::2\tip6-allrouters
                        """);
        var names =
                pod.subdomain().isEmpty()
                        ? pod.hostname()
                        : "%s.%s.%s.svc.cluster.local\t%s"
                                .formatted(
                                        pod.hostname(),
                                        pod.subdomain(),
                                        pod.namespace(),
                                        pod.hostname());
        for (var ip : ips) {
            text.append(ip).append('\t').append(names).append('\n');
        }
        for (var alias : pod.hostAliases()) {
            text.append(alias.ip())
                    .append('\t')
                    .append(String.join("\t", alias.hostnames()))
                    .append('\n');
        }
        return text.toString();
    }

    static String resolvConf(Dns dns) {
        var text = new StringBuilder();
        if (!dns.searches().isEmpty()) {
            text.append("search ").append(String.join(" ", dns.searches())).append('\n');
        }
        dns.servers().forEach(server -> text.append("nameserver ").append(server).append('\n'));
        if (!dns.options().isEmpty()) {
            text.append("options ").append(String.join(" ", dns.options())).append('\n');
        }
        return text.toString();
    }

    static String resolvConf(PodNetwork network) {
        var text = new StringBuilder();
        if (!network.searchDomains().isEmpty()) {
            text.append("search ").append(String.join(" ", network.searchDomains())).append('\n');
        }
        network.nameservers()
                .forEach(server -> text.append("nameserver ").append(server).append('\n'));
        if (!network.resolverOptions().isEmpty()) {
            text.append("options ")
                    .append(String.join(" ", network.resolverOptions()))
                    .append('\n');
        }
        return text.toString();
    }
}
