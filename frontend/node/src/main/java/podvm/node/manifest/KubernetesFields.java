package podvm.node.manifest;

import java.util.Map;
import java.util.Set;

/**
 * The fields that Kubernetes 1.36 gives an object (names from k8s.io/api v0.36.0, core/v1), to tell
 * a field that is not honoured from one that does not exist.
 */
final class KubernetesFields {
    private static final String IN_A_CLUSTER = "remove it, or run the pod in a cluster";

    /** Why some fields are not honoured, where there is more to say. */
    private static final Map<String, String> REASONS =
            Map.ofEntries(
                    Map.entry("affinity", "one node has nothing to choose from; remove it"),
                    Map.entry("nodeSelector", "one node has nothing to choose from; remove it"),
                    Map.entry("nodeName", "one node has nothing to choose from; remove it"),
                    Map.entry("tolerations", "this node has no taints; remove it"),
                    Map.entry(
                            "topologySpreadConstraints",
                            "one node has nothing to spread over; remove it"),
                    Map.entry("livenessProbe", "nobody probes; remove it"),
                    Map.entry("readinessProbe", "nobody probes; remove it"),
                    Map.entry("startupProbe", "nobody probes; remove it"),
                    Map.entry("imagePullSecrets", "log in with the node's own credentials"),
                    Map.entry("hostPath", "the pod has no view of the node's files; use emptyDir"),
                    Map.entry("persistentVolumeClaim", "there is no cluster storage; use emptyDir"),
                    Map.entry("status", "it is for the node to say; remove it"),
                    Map.entry("runtimeClassName", "PodVM is the runtime; remove it"));

    static final KubernetesFields POD = of("apiVersion kind metadata spec status");
    static final KubernetesFields CONFIG_MAP =
            of("apiVersion kind metadata data binaryData immutable");
    static final KubernetesFields SECRET =
            of("apiVersion kind metadata data stringData type immutable");
    static final KubernetesFields METADATA =
            of(
                    """
                    annotations creationTimestamp deletionGracePeriodSeconds deletionTimestamp
                    finalizers generateName generation labels managedFields name namespace
                    ownerReferences resourceVersion selfLink uid
                    """);
    static final KubernetesFields POD_SPEC =
            of(
                    """
                    activeDeadlineSeconds affinity automountServiceAccountToken containers
                    dnsConfig dnsPolicy enableServiceLinks ephemeralContainers hostAliases hostIPC
                    hostNetwork hostPID hostUsers hostname hostnameOverride imagePullSecrets
                    initContainers nodeName nodeSelector os overhead preemptionPolicy priority
                    priorityClassName readinessGates resourceClaims resources restartPolicy
                    runtimeClassName schedulerName schedulingGates schedulingGroup securityContext
                    serviceAccount serviceAccountName setHostnameAsFQDN shareProcessNamespace
                    subdomain terminationGracePeriodSeconds tolerations topologySpreadConstraints
                    volumes workloadRef
                    """);
    static final KubernetesFields POD_SECURITY =
            of(
                    """
                    appArmorProfile fsGroup fsGroupChangePolicy runAsGroup runAsNonRoot runAsUser
                    seLinuxChangePolicy seLinuxOptions seccompProfile supplementalGroups
                    supplementalGroupsPolicy sysctls windowsOptions
                    """);
    static final KubernetesFields CONTAINER =
            of(
                    """
                    args command env envFrom image imagePullPolicy lifecycle livenessProbe name
                    ports readinessProbe resizePolicy resources restartPolicy restartPolicyRules
                    securityContext startupProbe stdin stdinOnce terminationMessagePath
                    terminationMessagePolicy tty volumeDevices volumeMounts workingDir
                    """);
    static final KubernetesFields CONTAINER_SECURITY =
            of(
                    """
                    allowPrivilegeEscalation appArmorProfile capabilities privileged procMount
                    readOnlyRootFilesystem runAsGroup runAsNonRoot runAsUser seLinuxOptions
                    seccompProfile windowsOptions
                    """);
    static final KubernetesFields CAPABILITIES = of("add drop");
    static final KubernetesFields SECCOMP = of("localhostProfile type");
    static final KubernetesFields ENV = of("name value valueFrom");
    static final KubernetesFields ENV_SOURCE =
            of("configMapKeyRef fieldRef fileKeyRef resourceFieldRef secretKeyRef");
    static final KubernetesFields FIELD_REF = of("apiVersion fieldPath");
    static final KubernetesFields RESOURCE_REF = of("containerName divisor resource");
    static final KubernetesFields KEY_REF = of("key name optional");
    static final KubernetesFields ENV_FROM = of("configMapRef prefix secretRef");
    static final KubernetesFields OBJECT_REF = of("name optional");
    static final KubernetesFields PORT = of("containerPort hostIP hostPort name protocol");
    static final KubernetesFields RESOURCES = of("claims limits requests");
    static final KubernetesFields MOUNT =
            of(
                    """
                    mountPath mountPropagation name readOnly recursiveReadOnly subPath subPathExpr
                    """);
    static final KubernetesFields VOLUME =
            of(
                    """
                    awsElasticBlockStore azureDisk azureFile cephfs cinder configMap csi
                    downwardAPI emptyDir ephemeral fc flexVolume flocker gcePersistentDisk gitRepo
                    glusterfs hostPath image iscsi name nfs persistentVolumeClaim
                    photonPersistentDisk portworxVolume projected quobyte rbd scaleIO secret
                    storageos vsphereVolume
                    """);
    static final KubernetesFields EMPTY_DIR = of("medium sizeLimit");
    static final KubernetesFields CONFIG_MAP_VOLUME = of("defaultMode items name optional");
    static final KubernetesFields SECRET_VOLUME = of("defaultMode items optional secretName");
    static final KubernetesFields KEY_TO_PATH = of("key mode path");
    static final KubernetesFields HOST_ALIAS = of("hostnames ip");
    static final KubernetesFields OS = of("name");

    private final Set<String> names;

    private KubernetesFields(Set<String> names) {
        this.names = names;
    }

    private static KubernetesFields of(String names) {
        return new KubernetesFields(Set.of(names.strip().split("\\s+")));
    }

    boolean has(String name) {
        return names.contains(name);
    }

    Set<String> names() {
        return names;
    }

    String why(String name) {
        return REASONS.getOrDefault(name, IN_A_CLUSTER);
    }
}
