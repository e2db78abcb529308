package podvm.cri;

import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.proto.cri.v1.NamespaceMode;
import podvm.proto.cri.v1.NamespaceOption;

/** What a machine can and cannot share with its host. */
final class Namespaces {
    private Namespaces() {}

    static void refuseHost(String where, NamespaceOption options) throws PodException {
        if (options.getNetwork() == NamespaceMode.NODE) {
            throw host(where + "network", "hostNetwork");
        }
        if (options.getPid() == NamespaceMode.NODE) {
            throw host(where + "pid", "hostPID");
        }
        if (options.getIpc() == NamespaceMode.NODE) {
            throw host(where + "ipc", "hostIPC");
        }
    }

    private static PodException host(String field, String name) {
        return new PodException(
                Kind.UNSUPPORTED,
                "the field %s cannot be honoured: a pod in a machine has no part of its host's namespaces"
                        .formatted(field),
                "run a pod with " + name + " with the node's ordinary runtime");
    }

    static PodException unsupported(String field, String reason) {
        return new PodException(
                Kind.UNSUPPORTED,
                "the field " + field + " cannot be honoured: " + reason,
                "leave it unset");
    }
}
