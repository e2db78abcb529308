package podvm.engine.pod;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import podvm.engine.ContainerSpec;
import podvm.engine.ContainerSpec.EnvSpec;
import podvm.engine.Image;
import podvm.engine.MachineSize;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodSpec;

/** Resolves the variables of a pod's containers, once the pod has its addresses and its size. */
final class Environment {
    private final PodId id;
    private final PodSpec pod;
    private final String nodeName;
    private final List<String> ips;
    private final MachineSize size;

    Environment(PodId id, PodSpec pod, String nodeName, List<String> ips, MachineSize size) {
        this.id = id;
        this.pod = pod;
        this.nodeName = nodeName;
        this.ips = ips;
        this.size = size;
    }

    /** The manifest's variables in order; the image's are not among them. */
    Map<String, String> of(ContainerSpec container) throws PodException {
        var result = new LinkedHashMap<String, String>();
        for (var variable : container.env()) {
            var value =
                    switch (variable) {
                        case EnvSpec.Text text -> expand(text.value(), result);
                        case EnvSpec.Verbatim verbatim -> verbatim.value();
                        case EnvSpec.Field field -> field(field.path());
                        case EnvSpec.Resource resource -> resource(resource);
                    };
            result.put(variable.name(), value);
        }
        return result;
    }

    /** The image's variables, then the manifest's, as NAME=value. */
    static List<String> merge(Image image, Map<String, String> own) {
        var merged = new LinkedHashMap<String, String>();
        for (var entry : image.config().env()) {
            int equals = entry.indexOf('=');
            merged.put(
                    equals < 0 ? entry : entry.substring(0, equals),
                    equals < 0 ? "" : entry.substring(equals + 1));
        }
        merged.putAll(own);
        var result = new ArrayList<String>();
        merged.forEach((name, value) -> result.add(name + "=" + value));
        return result;
    }

    /** Replaces $(NAME) by its value; an unknown name stays as it is, and $$ stands for $. */
    static String expand(String text, Map<String, String> variables) {
        var out = new StringBuilder();
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            if (c != '$' || at + 1 == text.length()) {
                out.append(c);
            } else if (text.charAt(at + 1) == '$') {
                out.append('$');
                at++;
            } else if (text.charAt(at + 1) == '(' && text.indexOf(')', at) > 0) {
                int close = text.indexOf(')', at);
                var name = text.substring(at + 2, close);
                out.append(variables.getOrDefault(name, text.substring(at, close + 1)));
                at = close;
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private String field(String path) throws PodException {
        return switch (path) {
            case "metadata.name" -> pod.name();
            case "metadata.namespace" -> pod.namespace();
            case "metadata.uid" -> uid(id);
            case "spec.nodeName" -> nodeName;
            case "spec.serviceAccountName" -> "default";
            case "status.podIP" -> ips.isEmpty() ? "" : ips.getFirst();
            case "status.podIPs" -> String.join(",", ips);
            // a machine on a user-mode network knows no other address of its host
            case "status.hostIP", "status.hostIPs" -> "127.0.0.1";
            default -> {
                if (path.startsWith("metadata.labels['") && path.endsWith("']")) {
                    yield pod.labels()
                            .getOrDefault(
                                    path.substring("metadata.labels['".length(), path.length() - 2),
                                    "");
                }
                if (path.startsWith("metadata.annotations['") && path.endsWith("']")) {
                    yield pod.annotations()
                            .getOrDefault(
                                    path.substring(
                                            "metadata.annotations['".length(), path.length() - 2),
                                    "");
                }
                throw new PodException(
                        Kind.INVALID,
                        "unknown fieldPath: " + path,
                        "see kubectl explain pod.spec.containers.env.valueFrom.fieldRef");
            }
        };
    }

    private String resource(EnvSpec.Resource wanted) throws PodException {
        var container =
                Stream.concat(pod.initContainers().stream(), pod.containers().stream())
                        .filter(one -> one.name().equals(wanted.container()))
                        .findFirst()
                        .orElseThrow(() ->
                                new PodException(
                                        Kind.INVALID,
                                        "resourceFieldRef names no container: "
                                                + wanted.container(),
                                        ""));
        var resources = container.resources();
        long wholeCpu = size.vcpus() * 1000L;
        long wholeMemory = size.memoryMib() * 1024L * 1024;
        long amount =
                switch (wanted.resource()) {
                    case "limits.cpu" -> resources.cpuLimit().orElse(wholeCpu);
                    case "limits.memory" -> resources.memoryLimit().orElse(wholeMemory);
                    case "requests.cpu" ->
                            resources.cpuRequest().or(resources::cpuLimit).orElse(0L);
                    case "requests.memory" ->
                            resources.memoryRequest().or(resources::memoryLimit).orElse(0L);
                    default ->
                            throw new PodException(
                                    Kind.INVALID,
                                    "unknown resource: " + wanted.resource(),
                                    "use limits or requests of cpu or memory");
                };
        if (wanted.divisor() <= 0) {
            throw new PodException(
                    Kind.INVALID, "the divisor of " + wanted.name() + " is not positive", "");
        }
        return Long.toString(Math.ceilDiv(amount, wanted.divisor()));
    }

    /** The pod's id in the form of Kubernetes' uids. */
    static String uid(PodId id) {
        var hex = id.text();
        return String.join(
                "-",
                hex.substring(0, 8),
                hex.substring(8, 12),
                hex.substring(12, 16),
                hex.substring(16, 20),
                hex.substring(20));
    }
}
