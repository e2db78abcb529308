package podvm.network.cni;

import java.util.List;
import java.util.stream.IntStream;
import podvm.engine.Deadline;
import podvm.engine.Nic;
import podvm.engine.PodException;
import podvm.engine.PodNetwork;
import podvm.network.cni.Attachment.Connection;

/** A pod's connection, made by this daemon or by an earlier one. */
final class CniNetwork implements PodNetwork {
    private final CniNetworks networks;
    private volatile Attachment attachment;

    CniNetwork(CniNetworks networks, Attachment attachment) {
        this.networks = networks;
        this.attachment = attachment;
    }

    @Override
    public void connect(Deadline deadline) throws PodException, InterruptedException {
        if (attachment.connection().isEmpty()) {
            attachment = networks.connect(attachment, deadline);
        }
    }

    @Override
    public List<Nic> nics() {
        var pod = attachment.id();
        var namespace = Attachment.namespaceFile(pod);
        return IntStream.range(0, attachment.devices())
                .<Nic>mapToObj(i -> new Nic.Tap(Nic.commonMac(i), namespace, NamespaceLinks.tap(i)))
                .toList();
    }

    private Connection connection() {
        return attachment
                .connection()
                .orElseThrow(() -> new IllegalStateException("not connected yet"));
    }

    @Override
    public List<Interface> interfaces() {
        return connection().interfaces();
    }

    @Override
    public List<String> nameservers() {
        return connection().nameservers();
    }

    @Override
    public List<String> searchDomains() {
        return connection().searchDomains();
    }

    @Override
    public List<String> resolverOptions() {
        return connection().resolverOptions();
    }

    @Override
    public List<String> ips() {
        return connection().ips();
    }

    @Override
    public void close() throws PodException {
        networks.destroy(attachment.id());
    }
}
