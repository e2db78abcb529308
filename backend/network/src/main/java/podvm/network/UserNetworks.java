package podvm.network;

import java.nio.file.Path;
import java.util.List;
import podvm.engine.Deadline;
import podvm.engine.NetworkChoice;
import podvm.engine.NetworkRequest;
import podvm.engine.NetworkRequest.PortMapping;
import podvm.engine.Networks;
import podvm.engine.Nic;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodNetwork;
import podvm.engine.PodNetwork.Interface;
import podvm.engine.PodNetwork.Route;

/**
 * Connects pods by the VMM's user-mode network: no privilege, no trace on the host. Pods reach out
 * and the host's own services at the gateway's address; nothing reaches them, and all have the same
 * address. Its numbers are the defaults of QEMU (qemu-options: -netdev user).
 */
public final class UserNetworks implements Networks {
    private static final String MAC = Nic.commonMac(0);
    private static final String ADDRESS = "10.0.2.15";
    private static final String GATEWAY = "10.0.2.2";
    private static final String NAMESERVER = "10.0.2.3";
    private static final int MTU = 1500;

    private final Path resolvConf;

    /**
     * @param resolvConf the host's resolver configuration, for its search domains
     */
    public UserNetworks(Path resolvConf) {
        this.resolvConf = resolvConf;
    }

    @Override
    public void check(NetworkChoice network, List<PortMapping> ports) throws PodException {
        for (var port : ports) {
            if (port.hostPort() != 0) {
                throw new PodException(
                        Kind.UNSUPPORTED,
                        "hostPort "
                                + port.hostPort()
                                + " is not honoured by the VMM's user network, which cannot be"
                                + " reached from outside",
                        "remove it, or run the pod as root with --network NAME");
            }
        }
    }

    @Override
    public PodNetwork attach(NetworkRequest request, Deadline deadline) throws PodException {
        return connection();
    }

    @Override
    public PodNetwork find(PodId pod) throws PodException {
        return connection();
    }

    @Override
    public List<PodId> leftovers() {
        return List.of();
    }

    @Override
    public Readiness readiness() {
        return Readiness.READY;
    }

    @Override
    public void destroy(PodId pod) {
        // nothing is outside of the VMM
    }

    private PodNetwork connection() throws PodException {
        return new UserNetwork(ResolvConf.read(resolvConf).searchDomains());
    }

    private record UserNetwork(List<String> searchDomains) implements PodNetwork {
        @Override
        public List<Nic> nics() {
            return List.of(new Nic.User(MAC));
        }

        @Override
        public void connect(Deadline deadline) {
            // the VMM does it
        }

        @Override
        public List<Interface> interfaces() {
            var routes = List.of(new Route("0.0.0.0/0", GATEWAY));
            return List.of(
                    new Interface(
                            MAC, "", "eth0", List.of(ADDRESS + "/24"), routes, List.of(), MTU));
        }

        @Override
        public List<String> nameservers() {
            return List.of(NAMESERVER);
        }

        @Override
        public List<String> resolverOptions() {
            return List.of();
        }

        @Override
        public List<String> ips() {
            return List.of(ADDRESS);
        }

        @Override
        public void close() {
            // the network ends with its VMM
        }
    }
}
