package podvm.network.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import podvm.engine.NetworkChoice;
import podvm.engine.NetworkRequest;
import podvm.engine.NetworkRequest.Dns;
import podvm.engine.NetworkRequest.PortMapping;
import podvm.engine.PodException;
import podvm.engine.PodId;

class PodWishesTest {
    private static final String POD = "0123456789abcdef0123456789abcdef";

    private static PodWishes wishes(Map<String, String> annotations, PortMapping... ports) {
        return new PodWishes(
                new NetworkRequest(
                        new PodId(POD),
                        "shop",
                        "web",
                        "u-1",
                        annotations,
                        new NetworkChoice.Cluster(),
                        List.of(ports),
                        Dns.OF_NETWORK,
                        POD + POD));
    }

    @Test
    void thePodIsNamedAsTheKubeletsRuntimesDo() {
        assertThat(wishes(Map.of()).arguments())
                .isEqualTo(
                        "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=web;K8S_POD_INFRA_CONTAINER_ID="
                                + POD
                                + POD
                                + ";K8S_POD_UID=u-1");
    }

    @Test
    void onlyPortsOfTheHostAreMapped() throws Exception {
        var capabilities =
                wishes(
                                Map.of(),
                                new PortMapping(PortMapping.Protocol.UDP, 53, 5353, "::1"),
                                new PortMapping(PortMapping.Protocol.TCP, 80, 0, ""))
                        .capabilities();
        assertThat(capabilities.toString())
                .isEqualTo(
                        "{\"portMappings\":[{\"hostPort\":5353,\"containerPort\":53,\"protocol\":\"udp\",\"hostIP\":\"::1\"}]}");
    }

    @Test
    void bandwidthIsAQuantityOfBitsPerSecond() throws Exception {
        var bandwidth =
                wishes(Map.of("kubernetes.io/ingress-bandwidth", "1.5M"))
                        .capabilities()
                        .path("bandwidth");
        assertThat(bandwidth.path("ingressRate").asLong()).isEqualTo(1_500_000);
        assertThat(bandwidth.path("ingressBurst").asLong()).isPositive();
        assertThat(bandwidth.has("egressRate")).isFalse();
    }

    @Test
    void aBandwidthThatIsNoneIsRefusedByItsAnnotation() {
        for (var bad : List.of("fast", "10", "-1M", "1e3", "2000T", "1MM", "")) {
            var wishes = wishes(Map.of("kubernetes.io/egress-bandwidth", bad));
            assertThat(assertThrows(PodException.class, wishes::capabilities))
                    .as(bad)
                    .hasMessageContaining("kubernetes.io/egress-bandwidth");
        }
    }

    @Test
    void addressesCanBeAskedForByAnnotation() throws Exception {
        var capabilities =
                wishes(
                                Map.of(
                                        "podvm.io/ips",
                                        "10.1.0.9/16, fd00::9/64",
                                        "podvm.io/mac",
                                        "0a:00:00:00:00:09"))
                        .capabilities();
        assertThat(Json.texts(capabilities.path("ips")))
                .containsExactly("10.1.0.9/16", "fd00::9/64");
        assertThat(capabilities.path("mac").asString()).isEqualTo("0a:00:00:00:00:09");
    }
}
