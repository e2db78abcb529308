package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Networks that are broken, told clearly and leaving nothing; and one of two interfaces. */
class CniTroubleIT {
    /** Makes eth0 and net1 as multus would, each with an address and a route of its own. */
    private static final String TWIN =
            """
            #!/bin/sh
            case $CNI_COMMAND in
            VERSION) echo '{"cniVersion":"1.0.0","supportedVersions":["0.4.0","1.0.0"]}' ;;
            ADD)
              name=$(basename $CNI_NETNS)
              tag=$(echo $CNI_CONTAINERID | cut -c 1-8)
              ip link add pva$tag type veth peer name eth0 netns $name || exit 1
              ip link add pvb$tag type veth peer name net1 netns $name || exit 1
              in="ip -n $name"
              $in addr add 10.214.1.2/24 dev eth0 && $in addr add 10.214.2.2/24 dev net1
              $in link set eth0 up && $in link set net1 up
              $in route add default via 10.214.1.1 && $in route add 10.214.99.0/24 via 10.214.2.1
              echo '{"cniVersion":"1.0.0",
                "interfaces":[{"name":"eth0","sandbox":"'$CNI_NETNS'"},{"name":"net1","sandbox":"'$CNI_NETNS'"}],
                "ips":[{"interface":0,"address":"10.214.1.2/24","gateway":"10.214.1.1"},
                       {"interface":1,"address":"10.214.2.2/24"}],
                "routes":[{"dst":"0.0.0.0/0"},{"dst":"10.214.99.0/24","gw":"10.214.2.1"}]}'
              ;;
            esac
            """;

    private static final String VERSIONS =
            "[ $CNI_COMMAND = VERSION ] && {"
                    + " echo '{\"cniVersion\":\"1.0.0\",\"supportedVersions\":[\"1.0.0\"]}'; exit; }\n";

    private static Node node = Node.ordinary();
    private static Path data = Path.of("/");
    private static Path networks = data;
    private static Path plugins = data;
    private static Crictl crictl;

    @BeforeAll
    static void open() throws Exception {
        assumeTrue(Host.isRoot(), "only root can make network namespaces");
        data = Files.createTempDirectory("pv-cni-");
        networks = data.resolve("net.d");
        plugins = Files.createDirectory(data.resolve("bin"));
        node =
                Node.ofKubelet(
                        "network.cni-config=" + networks,
                        "network.cni-plugins=" + plugins,
                        "network.cni-timeout-ms=3000",
                        "network.order=before-boot");
        node.open();
        crictl = Crictl.of(node);
    }

    @AfterAll
    static void close() throws Exception {
        if (data.getNameCount() > 0) {
            try {
                node.close();
            } finally {
                Host.deleteTree(data);
            }
        }
    }

    private static void plugin(String name, String script) throws IOException {
        var file = Files.writeString(plugins.resolve(name), script);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    /** The only one of the node from now on. */
    private static void network(String text) throws IOException {
        Files.createDirectories(networks);
        Files.writeString(networks.resolve("10-trouble.conflist"), text);
    }

    private static void network(String version, String plugin) throws IOException {
        network(
                "{\"cniVersion\": \"%s\", \"name\": \"trouble\", \"plugins\": [{\"type\": \"%s\"}]}"
                        .formatted(version, plugin));
    }

    private static void assertNotReady(String... words) throws Exception {
        var conditions =
                crictl.run("info").expect(0).json().path("status").path("conditions").toString();
        assertThat(conditions).contains("NetworkPluginNotReady").contains(words);
    }

    private static void assertRefused(String... words) throws Exception {
        var refused = crictl.run("runp", crictl.sandboxFile("refused"));
        assertThat(refused.exit()).isNotZero();
        assertThat(refused.err()).contains(words);
        assertThat(crictl.out("pods", "-q")).isEmpty();
        try (var names = node.startProgram(List.of("ip", "netns", "list"))) {
            assertThat(names.await().out()).doesNotContain("podvm-");
        }
    }

    @Test
    void aNodeWithoutAUsableNetworkSaysSo() throws Exception {
        Host.deleteTree(networks);
        assertNotReady("there is no CNI network in " + networks);
        assertRefused("there is no CNI network in " + networks);

        Files.createDirectories(networks);
        assertNotReady("there is no CNI network in " + networks);

        network("{\"cniVersion\": ");
        assertNotReady("10-trouble.conflist");
        assertRefused("10-trouble.conflist");

        network("1.0.0", "absent");
        assertNotReady("there is no CNI plugin absent");
        assertRefused("there is no CNI plugin absent");

        plugin("old", "#!/bin/sh\n" + VERSIONS.replace("[\"1.0.0\"]", "[\"0.1.0\"]"));
        network("1.0.0", "old");
        assertNotReady("old");
        assertRefused("old");
    }

    @Test
    void aPluginThatFailsIsQuotedAndNothingStays() throws Exception {
        plugin("hangs", "#!/bin/sh\n" + VERSIONS + "[ $CNI_COMMAND = ADD ] && sleep 1000\n");
        network("1.0.0", "hangs");
        assertRefused("hangs", "did not end in time");
        try (var left = node.startProgram(List.of("pgrep", "-f", plugins + "/hangs"))) {
            assertThat(left.await().out()).isEmpty();
        }

        plugin("babbles", "#!/bin/sh\n" + VERSIONS + "echo 'no { object'\n");
        network("1.0.0", "babbles");
        assertRefused("babbles");

        plugin(
                "fails",
                "#!/bin/sh\n"
                        + VERSIONS
                        + "[ $CNI_COMMAND = ADD ] || exit 0\n"
                        + "echo '{\"cniVersion\":\"1.0.0\",\"code\":11,\"msg\":\"no address left\"}'; exit 1\n");
        network("1.0.0", "fails");
        assertRefused("no address left");
    }

    @Test
    void bothInterfacesOfANetworkArriveInTheGuest() throws Exception {
        plugin("twin", TWIN);
        network("1.0.0", "twin");
        var pod = crictl.sandbox("twin");
        var id = crictl.container(pod, "twin", "main", "exec sleep 1000", "");

        var addresses = crictl.out("exec", "-s", id, "ip", "addr");
        assertThat(addresses).contains("eth0", "10.214.1.2/24", "net1", "10.214.2.2/24");
        assertThat(crictl.out("exec", "-s", id, "ip", "route"))
                .contains("default via 10.214.1.1 dev eth0")
                .contains("10.214.99.0/24 via 10.214.2.1 dev net1");
        var told = crictl.run("inspectp", pod).expect(0).json().path("status").path("network");
        assertThat(told.path("ip").asString("")).isEqualTo("10.214.1.2");

        crictl.out("stopp", pod);
        crictl.out("rmp", pod);
        Files.deleteIfExists(node.base().resolve("tmp/main.log"));
    }
}
