package podvm.network;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.Deadline;
import podvm.engine.NetworkChoice;
import podvm.engine.NetworkRequest;
import podvm.engine.NetworkRequest.PortMapping;
import podvm.engine.Nic;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.PodNetwork;

class UserNetworksTest {
    private static final PodId POD = new PodId("0123456789abcdef0123456789abcdef");

    @TempDir Path temporary;

    @Test
    void aPodHasOneInterfaceWithADefaultRoute() throws Exception {
        try (var network = attach("")) {
            assertThat(network.ips()).containsExactly("10.0.2.15");
            assertThat(network.nameservers()).containsExactly("10.0.2.3");
            var eth0 = network.interfaces().getFirst();
            assertThat(eth0.addresses()).containsExactly("10.0.2.15/24");
            assertThat(eth0.routes().getFirst().gateway()).isEqualTo("10.0.2.2");
            assertThat(network.nics()).containsExactly(new Nic.User(eth0.mac()));
        }
    }

    @Test
    void searchDomainsAreTheHosts() throws Exception {
        try (var network = attach("nameserver 1.1.1.1\nsearch a.example  b.example\n")) {
            assertThat(network.searchDomains()).containsExactly("a.example", "b.example");
        }
    }

    @Test
    void theLastSearchLineCounts() {
        assertThat(ResolvConf.parse("domain a.example\n\tsearch b.example\n").searchDomains())
                .containsExactly("b.example");
    }

    @Test
    void whatIsNoDomainIsLeftOut() {
        assertThat(ResolvConf.parse("search . ok.example $(boom)").searchDomains())
                .containsExactly("ok.example");
    }

    @Test
    void aHostWithoutResolverConfigurationHasNoDomains() throws Exception {
        var networks = new UserNetworks(temporary.resolve("missing"));
        try (var network = networks.attach(request(), Deadline.after(Duration.ofSeconds(1)))) {
            assertThat(network.searchDomains()).isEmpty();
        }
    }

    @Test
    void aFoundConnectionIsTheOneThatWasMade() throws Exception {
        try (var network = attach("search a.example\n")) {
            var found = new UserNetworks(temporary.resolve("resolv.conf")).find(POD);
            assertThat(found).isEqualTo(network);
        }
    }

    @Test
    void aHostPortIsRefusedSinceNothingReachesThePod() {
        var port = new PortMapping(PortMapping.Protocol.TCP, 80, 8080, "");
        assertThatThrownBy(() ->
                        new UserNetworks(temporary).check(new NetworkChoice.User(), List.of(port)))
                .isInstanceOf(PodException.class)
                .hasMessageContaining("hostPort");
    }

    private static NetworkRequest request() {
        return new NetworkRequest(
                POD,
                "default",
                "web",
                "",
                Map.of(),
                new NetworkChoice.User(),
                List.of(),
                NetworkRequest.Dns.OF_NETWORK,
                POD.text());
    }

    private PodNetwork attach(String resolvConf) throws Exception {
        var file = Files.writeString(temporary.resolve("resolv.conf"), resolvConf);
        return new UserNetworks(file).attach(request(), Deadline.after(Duration.ofSeconds(1)));
    }
}
