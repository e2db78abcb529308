package podvm.network.cni;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import podvm.engine.Deadline;
import podvm.engine.Finding;
import podvm.engine.Finding.State;
import podvm.engine.NetworkChoice;
import podvm.engine.NetworkRequest;
import podvm.engine.NetworkRequest.PortMapping;
import podvm.engine.Networks;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodNetwork;
import podvm.engine.Rollback;
import podvm.linux.User;
import podvm.network.cni.CniOptions.Order;
import podvm.network.cni.NamespaceLinks.Link;

/**
 * Connects pods by the node's CNI plugins. The plugins see an ordinary network namespace with an
 * interface in it; the interface is joined to a tap of the machine, and the guest takes over its
 * addresses.
 */
public final class CniNetworks implements Networks {
    /** The kubelet asks every few seconds. */
    private static final Duration STATUS_ANSWER = Duration.ofSeconds(5);

    /** A pod that ends waits no longer than this for plugins that hang. */
    private static final Duration UNDOING = Duration.ofSeconds(20);

    private static final String NOT_READY = "NetworkPluginNotReady";

    private final CniOptions options;
    private final NetworkLists lists;
    private final Plugins plugins;
    private final Attachments attachments;

    public CniNetworks(CniOptions options) {
        this.options = options;
        this.lists = new NetworkLists(options.configuration());
        this.plugins = new Plugins(options.plugins());
        this.attachments = new Attachments(options.state());
    }

    @Override
    public void check(NetworkChoice network, List<PortMapping> ports) throws PodException {
        if (!User.isRoot()) {
            throw new PodException(
                    Kind.DENIED,
                    "an ordinary user's daemon cannot make CNI networks: network namespaces and"
                            + " plugins need root",
                    "run podvm as root, or leave out --network for QEMU's user network");
        }
        checkPorts(list(network), ports);
    }

    /** Other runtimes ignore it silently, and the port is then never reached. */
    private static void checkPorts(NetworkList list, List<PortMapping> ports) throws PodException {
        var mapped = ports.stream().filter(port -> port.hostPort() != 0).findFirst();
        if (mapped.isPresent() && !list.capabilities().contains("portMappings")) {
            throw new PodException(
                    Kind.UNSUPPORTED,
                    "hostPort "
                            + mapped.get().hostPort()
                            + " is not honoured by network "
                            + list.name()
                            + ": none of its plugins has the capability portMappings",
                    "add the plugin portmap to " + list.source());
        }
    }

    private NetworkList list(NetworkChoice choice) throws PodException {
        return switch (choice) {
            case NetworkChoice.Named(var name) -> lists.named(name);
            case NetworkChoice.Cluster _ -> lists.first();
            case NetworkChoice.User _ ->
                    throw new IllegalArgumentException("the VMM's user network is not CNI's");
        };
    }

    @Override
    public PodNetwork attach(NetworkRequest request, Deadline deadline)
            throws PodException, InterruptedException {
        var pod = request.pod();
        if (attachments.read(pod).isPresent()) {
            throw new PodException(
                    Kind.ALREADY_EXISTS, "pod " + pod.brief() + " has a network already", "");
        }
        var list = list(request.network());
        checkPorts(list, request.ports());
        var wishes = new PodWishes(request);
        var first = options.order() == Order.BEFORE_BOOT || wishes.maybeMoreInterfaces();
        var attachment =
                new Attachment(
                        pod.text(),
                        request.namespace() + "/" + request.name(),
                        list.source(),
                        list.json(),
                        wishes.arguments(),
                        wishes.capabilities(),
                        request.dns(),
                        first ? 0 : 1,
                        Optional.empty(),
                        Optional.empty());
        attachments.write(attachment);
        try (var undo = new Rollback()) {
            undo.add(() -> destroy(pod));
            var links = new NamespaceLinks(pod);
            links.create(deadline);
            links.addTaps(0, attachment.devices(), deadline);
            var network = new CniNetwork(this, attachment);
            if (first) {
                network.connect(deadline);
            }
            var _ = undo.keep();
            return network;
        }
    }

    /** Calls the plugins and joins what they have made to the machine's devices. */
    Attachment connect(Attachment attachment, Deadline whole)
            throws PodException, InterruptedException {
        var deadline = whole.atMost(options.patience());
        var chain = new PluginChain(plugins, attachment.list());
        var result = chain.add(attachment, deadline);
        var known = attachment.withResult(result.json());
        attachments.write(known);
        var namespace = new NamespaceLinks(attachment.id());
        var links = namespace.links(deadline);
        checkLinks(links, known, chain.network());
        if (known.devices() == 0) {
            namespace.addTaps(0, links.size(), deadline);
        }
        for (var i = 0; i < links.size(); i++) {
            namespace.join(links.get(i), i, deadline);
        }
        var interfaces = namespace.interfaces(links, deadline);
        var names = new ResolverNames(known.dns(), result, options.resolvConf());
        var connected = known.connected(links.size(), names.connection(interfaces));
        attachments.write(connected);
        return connected;
    }

    private static void checkLinks(List<Link> links, Attachment pod, NetworkList network)
            throws PodException {
        if (links.isEmpty()) {
            throw new PodException(
                    Kind.UNAVAILABLE,
                    "network "
                            + network.name()
                            + " has put no Ethernet interface into the namespace of pod "
                            + pod.name(),
                    "put a plugin that makes one first in " + network.source());
        }
        if (pod.devices() > 0 && links.size() > pod.devices()) {
            throw new PodException(
                    Kind.UNSUPPORTED,
                    "network %s has made %d interfaces, and the machine of pod %s boots with %d"
                            .formatted(network.name(), links.size(), pod.name(), pod.devices()),
                    "set network.order=before-boot");
        }
    }

    @Override
    public PodNetwork find(PodId pod) throws PodException {
        var attachment = attachments.read(pod);
        if (attachment.isEmpty()) {
            throw new PodException(Kind.NOT_FOUND, "pod " + pod.brief() + " has no network", "");
        }
        return new CniNetwork(this, attachment.get());
    }

    /** The record is written before anything else is made. */
    @Override
    public List<PodId> leftovers() throws PodException {
        return attachments.all();
    }

    /**
     * The namespace goes in any case, with the interface in it. The record stays where a plugin
     * could not undo what it has made, an address leased for example: it is asked once more when
     * the pod is destroyed again, by the next daemon at the latest.
     */
    @Override
    public void destroy(PodId pod) throws PodException {
        var found = attachments.read(pod);
        if (found.isEmpty()) {
            return;
        }
        var attachment = found.get();
        var deadline = Deadline.after(options.patience()).atMost(UNDOING);
        try (var all = new Rollback()) {
            all.add(() -> Undisturbed.run(() -> removeNamespace(pod)));
            var chain = new PluginChain(plugins, attachment.list());
            Undisturbed.run(() -> chain.delete(attachment, deadline));
        }
        attachments.delete(pod);
    }

    private static void removeNamespace(PodId pod) throws PodException, InterruptedException {
        new NamespaceLinks(pod).remove(Deadline.after(UNDOING));
    }

    @Override
    public Readiness readiness() throws InterruptedException {
        try {
            if (!User.isRoot()) {
                return new Readiness(false, NOT_READY, "CNI networks need a daemon run by root");
            }
            status(lists.first());
            return Readiness.READY;
        } catch (PodException e) {
            return new Readiness(false, NOT_READY, e.describe());
        }
    }

    private void status(NetworkList list) throws PodException, InterruptedException {
        new PluginChain(plugins, list).status(Deadline.after(STATUS_ANSWER));
    }

    /** Whether networks can serve, and whether each connected pod still is connected as it was. */
    public List<Finding> findings() throws InterruptedException {
        var findings = new ArrayList<Finding>();
        try {
            for (var list : lists.all()) {
                findings.add(finding(list));
            }
            for (var pod : attachments.all()) {
                checked(pod).ifPresent(findings::add);
            }
        } catch (PodException e) {
            findings.add(finding("CNI", State.WARNING, e));
        }
        return findings;
    }

    private Finding finding(NetworkList list) throws InterruptedException {
        var name = "CNI network " + list.name();
        try {
            status(list);
            var detail = String.join(", ", list.types());
            return new Finding(name, State.OK, list.version().toString(), detail, "");
        } catch (PodException e) {
            return finding(name, State.WARNING, e);
        }
    }

    private Optional<Finding> checked(PodId pod) throws InterruptedException {
        try {
            var attachment = attachments.read(pod);
            if (attachment.isPresent() && attachment.get().connection().isPresent()) {
                var result = CniResult.of(attachment.get().result().orElseThrow());
                new PluginChain(plugins, attachment.get().list())
                        .check(attachment.get(), result, Deadline.after(STATUS_ANSWER));
            }
            return Optional.empty();
        } catch (PodException e) {
            return Optional.of(finding("network of pod " + pod.brief(), State.WARNING, e));
        }
    }

    private static Finding finding(String name, State state, PodException e) {
        return new Finding(name, state, "", e.getMessage(), e.remedy());
    }

    /**
     * Has plugins give back what they hold for pods that are not there any more. Only for a node
     * whose networks no other runtime uses: its pods would lose their addresses.
     */
    public void collectGarbage() throws PodException, InterruptedException {
        var pods = attachments.all();
        for (var list : lists.all()) {
            new PluginChain(plugins, list).collect(pods, Deadline.after(options.patience()));
        }
    }
}
