package podvm.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Pods on a bridge of CNI's own plugins, dual stack, with ports of the host. */
class NetworkIT {
    private static final String BRIDGE = "pvtest0";
    private static final int HOST_PORT = 18_180;
    private static final String LIST =
            """
            {"cniVersion": "1.1.0", "name": "pvtest", "plugins": [
              {"type": "bridge", "bridge": "pvtest0", "isGateway": true, "ipMasq": true,
               "hairpinMode": true, "mtu": 1400,
               "ipam": {"type": "host-local", "dataDir": "DATA",
                 "ranges": [[{"subnet": "10.213.7.0/24"}], [{"subnet": "fd13:7::/64"}]],
                 "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]},
               "dns": {"nameservers": ["10.213.7.1"], "search": ["pv.example"]}},
              {"type": "portmap", "capabilities": {"portMappings": true}},
              {"type": "bandwidth", "capabilities": {"bandwidth": true}}]}
            """;

    private static Node node = Node.ordinary();
    private static Path data = Path.of("/");
    private static Set<String> before = Set.of();

    @BeforeAll
    static void open() throws Exception {
        assumeTrue(Host.isRoot(), "only root can make network namespaces");
        var plugins = CniPlugins.directory();
        assumeTrue(plugins.isPresent(), CniPlugins.WHY_NOT);
        data = Files.createTempDirectory("pv-cni-");
        var networks = Files.createDirectory(data.resolve("net.d"));
        Files.writeString(
                networks.resolve("10-pvtest.conflist"),
                LIST.replace("DATA", data.resolve("leases").toString()));
        node =
                Node.with(
                        "network.cni-config=" + networks,
                        "network.cni-plugins=" + plugins.orElseThrow(),
                        "machine.templates=2");
        node.open();
        before = remains().collect(Collectors.toUnmodifiableSet());
    }

    @AfterAll
    static void close() throws Exception {
        if (data.getNameCount() > 0) {
            try {
                // the bridge is the network's and outlives its pods
                node.removeAll();
                Host.command("sh", "-c", "ip link delete " + BRIDGE + " 2>/dev/null || true");
                node.close();
            } finally {
                Host.command("sh", "-c", "ip link delete " + BRIDGE + " 2>/dev/null || true");
                Host.deleteTree(data);
            }
        }
    }

    private static String pod(String name, String more, String script) {
        return """
        apiVersion: v1
        kind: Pod
        metadata:
          name: %s
          annotations: {kubernetes.io/egress-bandwidth: 100M}
        spec:
          restartPolicy: Never
          terminationGracePeriodSeconds: 0
          containers:
            - name: main
              image: localhost/box:1
        %s
              command: [sh, -c, '%s']
        """
                .formatted(name, more, script);
    }

    private static String start(String manifest) throws IOException, InterruptedException {
        var id =
                node.podvm("run", "-d", "--network", "pvtest", node.manifest(manifest).toString())
                        .expect(0)
                        .out()
                        .strip();
        node.awaitPhase(id, "Running");
        return id;
    }

    private static String host(String script) throws IOException, InterruptedException {
        try (var running = node.startProgram(List.of("sh", "-c", script))) {
            running.endInput();
            return running.await().expect(0).out();
        }
    }

    /** What there is of these pods in the host's network, which may serve other pods as well. */
    private static String traces() throws IOException, InterruptedException {
        return remains().filter(line -> !before.contains(line)).collect(Collectors.joining("\n"));
    }

    private static Stream<String> remains() throws IOException, InterruptedException {
        return host("ip netns list | grep podvm- ; ip -o link show master "
                        + BRIDGE
                        + " 2>/dev/null; iptables-save 2>/dev/null | grep -E \"CNI-[0-9a-f]|pvtest\";"
                        + " ip6tables-save 2>/dev/null | grep -E \"CNI-[0-9a-f]|pvtest\";"
                        + " find "
                        + data
                        + "/leases -name \"*.*.*\" -o -name \"*:*\" 2>/dev/null; true")
                .lines()
                .filter(line -> !line.contains("last_reserved"));
    }

    @Test
    void podsReachEachOtherAndTheHostInBothFamiliesAndLeaveNothing() throws Exception {
        var web =
                start(
                        pod(
                                "web",
                                "      ports: [{containerPort: 8080, hostPort: " + HOST_PORT + "}]",
                                "mkdir /tmp/w; seq 400000 > /tmp/w/big;"
                                        + " echo hello > /tmp/w/index.html;"
                                        + " httpd -f -p 8080 -h /tmp/w"));
        var client = start(pod("client", "", "sleep 100000"));
        var ip4 = address("web", "inet ");
        var ip6 = address("web", "inet6 ");

        // the interface as the plugins made it
        assertThat(node.inspect(web).path("ips").get(0).asString("")).isEqualTo(ip4);
        assertThat(node.shell("web", "main", "cat /sys/class/net/eth0/mtu")).isEqualTo("1400\n");
        assertThat(node.shell("web", "main", "cat /etc/resolv.conf"))
                .contains("nameserver 10.213.7.1")
                .contains("search pv.example");
        var inside = host("ip netns exec podvm-" + web + " cat /sys/class/net/eth0/address");
        assertThat(node.shell("web", "main", "cat /sys/class/net/eth0/address")).isEqualTo(inside);

        // host to pod, pod to pod, large enough for segmentation offload
        Wait.until(
                "httpd answers",
                () -> host("wget -q -O - http://" + ip4 + ":8080/ || true").equals("hello\n"),
                node::daemonLog);
        var sum = node.shell("web", "main", "md5sum < /tmp/w/big");
        assertThat(host("wget -q -O - http://" + ip4 + ":8080/big | md5sum")).isEqualTo(sum);
        assertThat(host("wget -q -O - http://[" + ip6 + "]:8080/big | md5sum")).isEqualTo(sum);
        for (var address : List.of(ip4, ip6)) {
            assertThat(node.shell("client", "main", fetch(address, "big") + " | md5sum"))
                    .isEqualTo(sum);
        }
        node.shell("client", "main", "ping -c 1 -W 5 10.213.7.1");
        node.shell("client", "main", "ping -c 1 -W 5 fd13:7::1");

        // the host's port; locally made connections are translated too
        var hostAddress =
                host("ip -4 -o addr show dev " + BRIDGE + " | awk \"{print \\$4}\" | cut -d/ -f1")
                        .strip();
        assertThat(host("wget -q -T 10 -O - http://" + hostAddress + ":" + HOST_PORT + "/"))
                .isEqualTo("hello\n");

        // a killed daemon leaves the connection; the next one adopts it, and finds it as it was
        node.killDaemon();
        assertThat(host("wget -q -O - http://" + ip4 + ":8080/")).isEqualTo("hello\n");
        Files.delete(node.run().resolve("node.sock"));
        node.startDaemon();
        node.awaitPhase(web, "Running");
        assertThat(node.shell("client", "main", fetch(ip4, "index.html"))).isEqualTo("hello\n");
        assertThat(node.podvm("doctor").out())
                .contains("CNI network pvtest")
                .doesNotContain("network of pod");

        assertThat(traces()).contains("podvm-" + web).contains(ip4);
        node.podvm("stop", web, client).expect(0);
        assertThat(traces()).isEmpty();
    }

    @Test
    void aCopyIsConnectedAsAPodWhoseMachineBooted() throws Exception {
        var serve =
                "mkdir /tmp/w; seq 400000 > /tmp/w/big; echo hello > /tmp/w/index.html;"
                        + " httpd -f -p 8080 -h /tmp/w";
        var booted = start(pod("booted", "", serve));
        // the log also has what an earlier daemon made
        Wait.until(
                "a template is made",
                () -> !node.podvm("template", "ls", "--output", "json").out().equals("[]\n"),
                node::daemonLog);
        var copy = start(pod("copied", "", serve));
        assertThat(node.inspect(copy).path("timeline").toString()).contains("machine.cloned");

        assertThat(Monitor.of(node, copy).virtioNetFeatures())
                .isEqualTo(Monitor.of(node, booted).virtioNetFeatures())
                .contains("VIRTIO_NET_F_CSUM", "VIRTIO_NET_F_HOST_TSO4", "VIRTIO_NET_F_GUEST_TSO6");
        assertThat(node.shell("copied", "main", "cat /sys/class/net/eth0/mtu")).isEqualTo("1400\n");
        var inside = host("ip netns exec podvm-" + copy + " cat /sys/class/net/eth0/address");
        assertThat(node.shell("copied", "main", "cat /sys/class/net/eth0/address"))
                .isEqualTo(inside);
        assertThat(node.shell("copied", "main", "hostname; grep -c copied /etc/hosts"))
                .isEqualTo("copied\n2\n");
        node.shell("copied", "main", "ping -c 1 -W 5 fd13:7::1");
        for (var pod : List.of("copied", "booted")) {
            var page = "http://" + address(pod, "inet ") + ":8080/";
            Wait.until(
                    "httpd of " + pod + " answers",
                    () -> host("wget -q -O - " + page + " || true").equals("hello\n"),
                    node::daemonLog);
        }
        var sum = node.shell("copied", "main", "md5sum < /tmp/w/big");
        for (var family : List.of("inet ", "inet6 ")) {
            var mine = address("copied", family);
            assertThat(node.shell("booted", "main", fetch(mine, "big") + " | md5sum"))
                    .isEqualTo(sum);
            var other = address("booted", family);
            assertThat(node.shell("copied", "main", fetch(other, "big") + " | md5sum"))
                    .isEqualTo(sum);
        }
        // nothing was sent by the address that machines have before they are a pod's
        assertThat(host("bridge fdb show br " + BRIDGE)).doesNotContain("02:00:00:00:00:00");
        node.podvm("stop", booted, copy).expect(0);
        node.removeAll();
        assertThat(traces()).isEmpty();
    }

    /** Not by wget: that of a static busybox cannot resolve a name, and crashes over it. */
    private static String fetch(String address, String file) {
        return "printf 'GET /%s HTTP/1.0\\r\n\\r\n' | nc %s 8080 | sed '1,/^\\r*$/d'"
                .formatted(file, address);
    }

    private static String address(String pod, String family)
            throws IOException, InterruptedException {
        return node.shell(pod, "main", "ip addr show dev eth0")
                .lines()
                .map(String::strip)
                .filter(line -> line.startsWith(family) && line.contains("scope global"))
                .findFirst()
                .orElseThrow()
                .split("[ /]")[1];
    }

    @Test
    void anUnknownNetworkIsRefusedByTheNamesThatThereAre() throws Exception {
        var refused =
                node.podvm(
                        "run",
                        "--network",
                        "nowhere",
                        node.manifest(pod("lost", "", "true")).toString());
        assertThat(refused.exit()).isNotZero();
        assertThat(refused.err()).contains("no CNI network nowhere").contains("pvtest");
    }
}
