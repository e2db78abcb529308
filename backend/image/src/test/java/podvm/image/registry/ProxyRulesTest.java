package podvm.image.registry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.util.Map;
import org.junit.jupiter.api.Test;
import podvm.engine.PodException;

class ProxyRulesTest {
    private static String way(Map<String, String> environment, String uri) throws PodException {
        return ProxyRules.of(environment)
                .to(URI.create(uri))
                .map(ProxyAddress::toString)
                .orElse("direct");
    }

    @Test
    void eachSchemeHasItsProxyAndSmallLettersComeFirst() throws Exception {
        var environment =
                Map.of(
                        "HTTP_PROXY", "http://plain:1",
                        "HTTPS_PROXY", "upper:2",
                        "https_proxy", "http://lower:3/");
        assertThat(way(environment, "http://a.example/v2/")).isEqualTo("plain:1");
        assertThat(way(environment, "https://a.example/v2/")).isEqualTo("lower:3");
        assertThat(way(Map.of("HTTPS_PROXY", " "), "https://a.example")).isEqualTo("direct");
        assertThat(way(Map.of("HTTPS_PROXY", "p"), "https://a.example")).isEqualTo("p:80");
    }

    @Test
    void thisMachineIsNeverReachedThroughAProxy() throws Exception {
        var environment = Map.of("HTTP_PROXY", "p:1", "HTTPS_PROXY", "p:1");
        for (var host : new String[] {"localhost", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000"}) {
            assertThat(way(environment, "https://" + host + "/v2/")).as(host).isEqualTo("direct");
        }
    }

    @Test
    void exemptionsAreNamesBelowNamesAddressesNetworksAndPorts() throws Exception {
        var environment =
                Map.of(
                        "HTTPS_PROXY",
                        "p:1",
                        "NO_PROXY",
                        "example.com, .below.org *.star.org,10.1.0.0/16,192.168.1.5,"
                                + "fd00::/8,ported.net:8443,[2001:db8::1]:5000,10.2.0.0/33x");
        for (var direct :
                new String[] {
                    "example.com",
                    "EXAMPLE.com:5000",
                    "a.b.example.com",
                    "a.below.org",
                    "a.star.org",
                    "10.1.255.255:5000",
                    "192.168.1.5",
                    "[fd12::1]:443",
                    "ported.net:8443",
                    "[2001:db8::1]:5000"
                }) {
            assertThat(way(environment, "https://" + direct + "/v2/"))
                    .as(direct)
                    .isEqualTo("direct");
        }
        for (var proxied :
                new String[] {
                    "myexample.com",
                    "below.org",
                    "star.org",
                    "10.2.0.1",
                    "192.168.1.50",
                    "[fe80::1]",
                    "ported.net",
                    "[2001:db8::1]",
                    "10.1.0.0.example"
                }) {
            assertThat(way(environment, "https://" + proxied + "/v2/"))
                    .as(proxied)
                    .isEqualTo("p:1");
        }
        var none = Map.of("HTTPS_PROXY", "p:1", "no_proxy", "*");
        assertThat(way(none, "https://a.example")).isEqualTo("direct");
    }

    @Test
    void aLoginIsTakenFromTheAddressAndNeverShown() throws Exception {
        var proxy = ProxyAddress.parse("http://user:p%40ss+word@proxy:3128", "HTTPS_PROXY");
        assertThat(proxy.login()).contains("Basic dXNlcjpwQHNzK3dvcmQ=");
        assertThat(proxy).hasToString("proxy:3128");
        assertThatThrownBy(() -> ProxyAddress.parse("http://user:secret@", "HTTPS_PROXY"))
                .isInstanceOf(PodException.class)
                .hasMessageContaining("HTTPS_PROXY")
                .hasMessageNotContaining("secret");
    }

    @Test
    void theVariableForAllFillsInForWhatIsMissing() throws Exception {
        var environment = Map.of("all_proxy", "http://all:1", "HTTPS_PROXY", "own:2");
        assertThat(way(environment, "http://a.example/v2/")).isEqualTo("all:1");
        assertThat(way(environment, "https://a.example/v2/")).isEqualTo("own:2");
        assertThat(
                        way(
                                Map.of(
                                        "ALL_PROXY",
                                        "socks5://s:1",
                                        "HTTP_PROXY",
                                        "p:1",
                                        "HTTPS_PROXY",
                                        "p:2"),
                                "https://a.example"))
                .isEqualTo("p:2");
        assertThatThrownBy(() -> ProxyRules.of(Map.of("ALL_PROXY", "socks5h://p:1")))
                .hasMessageContainingAll("ALL_PROXY", "socks5h");
    }

    @Test
    void proxiesOfOtherKindsAreRefusedByName() {
        for (var kind : new String[] {"socks5", "https"}) {
            assertThatThrownBy(() -> ProxyRules.of(Map.of("https_proxy", kind + "://p:1")))
                    .isInstanceOfSatisfying(
                            PodException.class,
                            e -> assertThat(e.kind()).isEqualTo(PodException.Kind.UNSUPPORTED))
                    .hasMessageContainingAll("HTTPS_PROXY", kind);
        }
    }
}
