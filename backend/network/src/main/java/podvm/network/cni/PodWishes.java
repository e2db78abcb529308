package podvm.network.cni;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import podvm.engine.NetworkRequest;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import tools.jackson.databind.node.ObjectNode;

/**
 * What plugins are told of a pod: CNI_ARGS as the kubelet's runtimes set them, and the capabilities
 * that CNI's conventions list (containernetworking/cni, CONVENTIONS.md).
 */
record PodWishes(NetworkRequest request) {
    private static final String IPS = "podvm.io/ips";
    private static final String MAC = "podvm.io/mac";
    private static final String MULTUS = "k8s.v1.cni.cncf.io/networks";
    private static final String INGRESS = "kubernetes.io/ingress-bandwidth";
    private static final String EGRESS = "kubernetes.io/egress-bandwidth";

    /** As other runtimes do: the rate is what was asked for, so a burst may be as large as fits. */
    private static final long BURST = 0xffff_ffffL;

    private static final BigDecimal LEAST_RATE = BigDecimal.valueOf(1_000L);
    private static final BigDecimal MOST_RATE = BigDecimal.valueOf(1_000_000_000_000_000L);
    private static final Map<String, Long> UNITS =
            Map.of(
                    "", 1L,
                    "k", 1_000L,
                    "M", 1_000_000L,
                    "G", 1_000_000_000L,
                    "T", 1_000_000_000_000L,
                    "Ki", 1L << 10,
                    "Mi", 1L << 20,
                    "Gi", 1L << 30,
                    "Ti", 1L << 40);

    String arguments() {
        return "IgnoreUnknown=1;K8S_POD_NAMESPACE="
                + request.namespace()
                + ";K8S_POD_NAME="
                + request.name()
                + ";K8S_POD_INFRA_CONTAINER_ID="
                + request.sandbox()
                + (request.uid().isEmpty() ? "" : ";K8S_POD_UID=" + request.uid());
    }

    /** A plugin may add interfaces that no result tells of: how many shows only afterwards. */
    boolean maybeMoreInterfaces() {
        return request.annotations().containsKey(MULTUS);
    }

    boolean hasHostPorts() {
        return request.ports().stream().anyMatch(port -> port.hostPort() != 0);
    }

    ObjectNode capabilities() throws PodException {
        var all = Json.MAPPER.createObjectNode();
        if (hasHostPorts()) {
            var mappings = all.putArray("portMappings");
            for (var port : request.ports()) {
                if (port.hostPort() != 0) {
                    var mapping = mappings.addObject();
                    mapping.put("hostPort", port.hostPort());
                    mapping.put("containerPort", port.containerPort());
                    mapping.put("protocol", port.protocol().name().toLowerCase(Locale.ROOT));
                    mapping.put("hostIP", port.hostIp());
                }
            }
        }
        var bandwidth = Json.MAPPER.createObjectNode();
        limit(INGRESS, "ingress", bandwidth);
        limit(EGRESS, "egress", bandwidth);
        if (!bandwidth.isEmpty()) {
            all.set("bandwidth", bandwidth);
        }
        dns(all);
        annotation(IPS)
                .ifPresent(ips -> List.of(ips.split("[ ,]+")).forEach(all.withArray("/ips")::add));
        annotation(MAC).ifPresent(mac -> all.put("mac", mac));
        if (!request.annotations().isEmpty()) {
            var annotations = all.putObject("io.kubernetes.cri.pod-annotations");
            request.annotations().forEach(annotations::put);
        }
        return all;
    }

    private Optional<String> annotation(String key) {
        return Optional.ofNullable(request.annotations().get(key));
    }

    private void dns(ObjectNode capabilities) {
        var dns = request.dns();
        if (!dns.equals(NetworkRequest.Dns.OF_NETWORK)) {
            var told = capabilities.putObject("dns");
            dns.servers().forEach(told.putArray("servers")::add);
            dns.searches().forEach(told.putArray("searches")::add);
            dns.options().forEach(told.putArray("options")::add);
        }
    }

    private void limit(String annotation, String direction, ObjectNode into) throws PodException {
        var text = annotation(annotation);
        if (text.isPresent()) {
            into.put(direction + "Rate", rate(annotation, text.get()));
            into.put(direction + "Burst", BURST);
        }
    }

    /** Bits per second, as a quantity of Kubernetes; the bounds are the kubelet's. */
    private static long rate(String annotation, String text) throws PodException {
        var unit = text.strip().replaceFirst("^[0-9.]+", "");
        var number = text.strip().substring(0, text.strip().length() - unit.length());
        var factor = UNITS.get(unit);
        if (factor != null && number.matches("\\d{1,18}(\\.\\d{1,9})?")) {
            var rate = new BigDecimal(number).multiply(BigDecimal.valueOf(factor));
            if (rate.compareTo(LEAST_RATE) >= 0 && rate.compareTo(MOST_RATE) <= 0) {
                return rate.longValue();
            }
        }
        throw new PodException(
                Kind.INVALID,
                "annotation " + annotation + " is \"" + text + "\"",
                "give bits per second from 1k to 1000T, such as 10M");
    }
}
