package podvm.network.cni;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import podvm.engine.Deadline;
import podvm.engine.Nic;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodNetwork.Interface;
import podvm.engine.PodNetwork.Neighbor;
import podvm.engine.PodNetwork.Route;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/**
 * A pod's network namespace and the links in it, by the programs ip and tc: they know how the
 * namespaces of this host are kept, and a call takes 2 ms.
 */
record NamespaceLinks(PodId pod) {
    private static final List<String> PATHS = List.of("/usr/sbin", "/sbin", "/usr/bin", "/bin");

    /** A link that a plugin has put there. */
    record Link(String name, JsonNode json) {}

    static String tap(int device) {
        return "podvm" + device;
    }

    void create(Deadline deadline) throws PodException, InterruptedException {
        run("ip", List.of("netns", "add", name()), "", deadline);
        run("ip", List.of("-n", name(), "link", "set", "lo", "up"), "", deadline);
    }

    /** Removes it with all that is in it; fine where it is not there. */
    void remove(Deadline deadline) throws PodException, InterruptedException {
        if (Files.exists(Attachment.namespaceFile(pod))) {
            run("ip", List.of("netns", "delete", name()), "", deadline);
        }
    }

    /** They stay until the namespace goes, whoever opens and closes them. */
    void addTaps(int from, int to, Deadline deadline) throws PodException, InterruptedException {
        var batch = new StringBuilder();
        for (var i = from; i < to; i++) {
            batch.append("tuntap add dev ").append(tap(i)).append(" mode tap vnet_hdr\n");
        }
        run("ip", List.of("-n", name(), "-batch", "-"), batch.toString(), deadline);
    }

    /** In the order in which the guest is to have them: eth0, then by age. */
    List<Link> links(Deadline deadline) throws PodException, InterruptedException {
        var links = new ArrayList<Link>();
        for (var link : read(List.of("addr", "show", "up"), deadline)) {
            var name = link.path("ifname").asString("");
            var usable = link.path("link_type").asString("").equals("ether");
            if (usable && !name.matches("podvm\\d+") && !link.has("master")) {
                links.add(new Link(name, link));
            }
        }
        links.sort(Comparator.comparing(link -> !link.name().equals(Attachment.INTERFACE)));
        return links;
    }

    /**
     * Everything that reaches the link goes to the tap, and the other way round, before the
     * namespace's own stack sees it. The match on all packets is one of u32, since not every kernel
     * has matchall.
     */
    void join(Link link, int device, Deadline deadline) throws PodException, InterruptedException {
        var tap = tap(device);
        var mtu = link.json().path("mtu").asInt(1500);
        run(
                "ip",
                List.of("-n", name(), "link", "set", tap, "mtu", Integer.toString(mtu), "up"),
                "",
                deadline);
        var batch = redirect(link.name(), tap) + redirect(tap, link.name());
        run("tc", List.of("-n", name(), "-batch", "-"), batch, deadline);
    }

    private static String redirect(String from, String to) {
        return """
        qdisc add dev %s ingress
        filter add dev %s parent ffff: protocol all u32 match u8 0 0 action mirred egress redirect dev %s
        """
                .formatted(from, from, to);
    }

    /** As the guest is to have them, with all that the plugins have given to the links. */
    List<Interface> interfaces(List<Link> links, Deadline deadline)
            throws PodException, InterruptedException {
        var routes = new ArrayList<JsonNode>();
        for (var family : List.of("-4", "-6")) {
            read(List.of(family, "route", "show", "table", "main"), deadline).forEach(routes::add);
        }
        var neighbors = read(List.of("neigh", "show", "nud", "permanent"), deadline);
        var interfaces = new ArrayList<Interface>();
        for (var i = 0; i < links.size(); i++) {
            var link = links.get(i);
            interfaces.add(
                    new Interface(
                            Nic.commonMac(i),
                            link.json().path("address").asString(""),
                            link.name(),
                            addresses(link),
                            routesOf(link, routes),
                            neighborsOf(link, neighbors),
                            link.json().path("mtu").asInt(1500)));
        }
        return interfaces;
    }

    /** Those of link scope the guest makes itself, from the same hardware address. */
    private static List<String> addresses(Link link) {
        return link.json()
                .path("addr_info")
                .valueStream()
                .filter(info -> !info.path("scope").asString("").equals("link"))
                .map(info ->
                        info.path("local").asString("") + "/" + info.path("prefixlen").asInt(0))
                .toList();
    }

    /** Without those that the kernel adds for each address; a gateway after the route to it. */
    private static List<Route> routesOf(Link link, List<JsonNode> all) {
        return all.stream()
                .filter(route -> route.path("dev").asString("").equals(link.name()))
                .filter(route -> !route.path("protocol").asString("").equals("kernel"))
                .filter(route -> !route.path("dst").asString("").startsWith("fe80:"))
                .map(NamespaceLinks::route)
                .sorted(Comparator.comparing(route -> !route.gateway().isEmpty()))
                .toList();
    }

    private static Route route(JsonNode json) {
        var gateway = json.path("gateway").asString("");
        var destination = json.path("dst").asString("default");
        var source = json.path("prefsrc").asString("");
        var v6 = (gateway + destination + source).contains(":") || json.has("pref");
        var onLink =
                json.path("flags")
                        .valueStream()
                        .anyMatch(flag -> flag.asString("").equals("onlink"));
        var mtu = json.path("metrics").path(0).path("mtu").asInt(0);
        return new Route(
                cidr(destination, v6), gateway, json.path("metric").asInt(0), onLink, source, mtu);
    }

    private static String cidr(String destination, boolean v6) {
        if (destination.equals("default")) {
            return v6 ? "::/0" : "0.0.0.0/0";
        }
        return destination.contains("/") ? destination : destination + (v6 ? "/128" : "/32");
    }

    private static List<Neighbor> neighborsOf(Link link, JsonNode all) {
        return all.valueStream()
                .filter(neighbor -> neighbor.path("dev").asString("").equals(link.name()))
                .filter(neighbor -> neighbor.has("lladdr"))
                .map(neighbor ->
                        new Neighbor(
                                neighbor.path("dst").asString(""),
                                neighbor.path("lladdr").asString("")))
                .toList();
    }

    private JsonNode read(List<String> question, Deadline deadline)
            throws PodException, InterruptedException {
        var words = new ArrayList<>(List.of("-n", name(), "-j"));
        words.addAll(question);
        var text = run("ip", words, "", deadline);
        try {
            return Json.MAPPER.readTree(text.isBlank() ? "[]" : text);
        } catch (JacksonException e) {
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "ip does not say how namespace " + name() + " is: " + e.getMessage(),
                    "install iproute2 5.0 or newer",
                    e);
        }
    }

    private String name() {
        return Attachment.namespace(pod);
    }

    private String run(String program, List<String> words, String input, Deadline deadline)
            throws PodException, InterruptedException {
        var command = new ArrayList<>(List.of(find(program)));
        command.addAll(words);
        var output =
                new Program(command, Map.of("LC_ALL", "C"), input.getBytes(StandardCharsets.UTF_8))
                        .run(deadline);
        if (output.status() != 0) {
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "cannot set up the network of pod "
                            + pod.brief()
                            + ": "
                            + String.join(" ", command)
                            + ": "
                            + output.complaint().replace('\n', ' '),
                    "does the kernel have tun, sch_ingress, cls_u32 and act_mirred?");
        }
        return new String(output.text(), StandardCharsets.UTF_8);
    }

    /** A daemon's PATH need not name the places for programs of the administrator. */
    static String find(String program) throws PodException {
        for (var directory : PATHS) {
            var file = Path.of(directory, program);
            if (Files.isExecutable(file)) {
                return file.toString();
            }
        }
        throw new PodException(
                Kind.NOT_FOUND,
                "there is no program " + program + ", which pod networks need",
                "install iproute2");
    }
}
