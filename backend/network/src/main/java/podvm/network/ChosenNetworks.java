package podvm.network;

import java.util.List;
import podvm.engine.Deadline;
import podvm.engine.NetworkChoice;
import podvm.engine.NetworkRequest;
import podvm.engine.NetworkRequest.PortMapping;
import podvm.engine.Networks;
import podvm.engine.PodException;
import podvm.engine.PodId;
import podvm.engine.PodNetwork;
import podvm.network.cni.CniNetworks;

/** Each pod's network is the one it asks for: the VMM's own, or one of CNI. */
public record ChosenNetworks(UserNetworks user, CniNetworks cni, Cluster cluster)
        implements Networks {
    /** What connects the pods of a cluster. */
    public enum Cluster {
        CNI,
        /** Enough to try pods one by one where there are no plugins: nothing reaches them. */
        USER
    }

    private Networks serving(NetworkChoice choice) {
        return switch (choice) {
            case NetworkChoice.User _ -> user;
            case NetworkChoice.Cluster _ -> ofCluster();
            case NetworkChoice.Named _ -> cni;
        };
    }

    private Networks ofCluster() {
        return switch (cluster) {
            case CNI -> cni;
            case USER -> user;
        };
    }

    @Override
    public void check(NetworkChoice network, List<PortMapping> ports) throws PodException {
        serving(network).check(network, ports);
    }

    @Override
    public PodNetwork attach(NetworkRequest request, Deadline deadline)
            throws PodException, InterruptedException {
        return serving(request.network()).attach(request, deadline);
    }

    /** A network of CNI leaves a record. */
    @Override
    public PodNetwork find(PodId pod) throws PodException {
        return cni.leftovers().contains(pod) ? cni.find(pod) : user.find(pod);
    }

    @Override
    public List<PodId> leftovers() throws PodException {
        return cni.leftovers();
    }

    @Override
    public void destroy(PodId pod) throws PodException {
        cni.destroy(pod);
    }

    @Override
    public Readiness readiness() throws InterruptedException {
        return ofCluster().readiness();
    }
}
