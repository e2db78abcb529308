package podvm.engine;

import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A pod as its manifest asks for it: parsed, checked and with all references to ConfigMaps and
 * Secrets resolved.
 *
 * @param hostname the pod's host name; the pod's name where the manifest gives none
 * @param subdomain may be empty
 * @param ports that containers declare; those with a host port are reached through the node
 */
public record PodSpec(
        String namespace,
        String name,
        Map<String, String> labels,
        Map<String, String> annotations,
        String hostname,
        String subdomain,
        List<HostAlias> hostAliases,
        RestartPolicy restartPolicy,
        Duration terminationGrace,
        List<ContainerSpec> initContainers,
        List<ContainerSpec> containers,
        Map<String, VolumeSpec> volumes,
        NetworkChoice network,
        List<NetworkRequest.PortMapping> ports) {
    private static final int LONGEST_HOSTNAME = 63;

    /** The host name of a pod that asks for none: its name, which may be longer. */
    public static String hostname(String podName) {
        return podName.length() <= LONGEST_HOSTNAME
                ? podName
                : podName.substring(0, LONGEST_HOSTNAME).replaceFirst("[-.]+$", "");
    }

    /** The same pod on another network. */
    public PodSpec on(NetworkChoice another) {
        return new PodSpec(
                namespace,
                name,
                labels,
                annotations,
                hostname,
                subdomain,
                hostAliases,
                restartPolicy,
                terminationGrace,
                initContainers,
                containers,
                volumes,
                another,
                ports);
    }

    /** Extra lines of /etc/hosts. */
    public record HostAlias(String ip, List<String> hostnames) {}

    /** What happens when a container has ended. */
    public enum RestartPolicy {
        ALWAYS,
        ON_FAILURE,
        NEVER
    }
}
