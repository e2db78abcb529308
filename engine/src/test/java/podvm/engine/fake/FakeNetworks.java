package podvm.engine.fake;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
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

/** Gives every pod the address 10.0.2.15. */
public final class FakeNetworks implements Networks {
    private static final String MAC = "52:54:00:00:00:01";

    private final Set<PodId> attached = new LinkedHashSet<>();

    @Override
    public void check(NetworkChoice network, List<PortMapping> ports) {
        // any pod can be
    }

    @Override
    public synchronized PodNetwork attach(NetworkRequest request, Deadline deadline)
            throws PodException {
        var pod = request.pod();
        if (!attached.add(pod)) {
            throw new PodException(Kind.ALREADY_EXISTS, "the network of " + pod, "");
        }
        return new FakeNetwork(pod);
    }

    @Override
    public synchronized PodNetwork find(PodId pod) throws PodException {
        if (!attached.contains(pod)) {
            throw new PodException(Kind.NOT_FOUND, "no network of " + pod, "");
        }
        return new FakeNetwork(pod);
    }

    @Override
    public synchronized void destroy(PodId pod) {
        attached.remove(pod);
    }

    @Override
    public List<PodId> leftovers() {
        return open();
    }

    @Override
    public Readiness readiness() {
        return Readiness.READY;
    }

    public synchronized List<PodId> open() {
        return List.copyOf(attached);
    }

    private final class FakeNetwork implements PodNetwork {
        private final PodId pod;

        FakeNetwork(PodId pod) {
            this.pod = pod;
        }

        @Override
        public List<Nic> nics() {
            return List.of(new Nic.User(MAC));
        }

        @Override
        public void connect(Deadline deadline) {
            // it is from the start
        }

        @Override
        public List<Interface> interfaces() {
            return List.of(
                    new Interface(
                            MAC, "", "eth0", List.of("10.0.2.15/24"), List.of(), List.of(), 1500));
        }

        @Override
        public List<String> nameservers() {
            return List.of("10.0.2.3");
        }

        @Override
        public List<String> searchDomains() {
            return List.of();
        }

        @Override
        public List<String> resolverOptions() {
            return List.of();
        }

        @Override
        public List<String> ips() {
            return List.of("10.0.2.15");
        }

        @Override
        public void close() {
            destroy(pod);
        }
    }
}
