package podvm.network.cni;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import podvm.engine.Deadline;
import podvm.engine.Forks;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.Rollback;
import tools.jackson.databind.node.ObjectNode;

/** The plugins of one network, called one after the other. */
record PluginChain(Plugins plugins, NetworkList network) {
    private static final String RESULT = "prevResult";

    /** Connects a pod. Where it fails, what was made until then is to be deleted. */
    CniResult add(Attachment pod, Deadline deadline) throws PodException, InterruptedException {
        var told = Optional.<CniResult>empty();
        for (var plugin : network.plugins()) {
            told = Optional.of(addOne(plugin, pod, told, deadline));
        }
        return told.orElseThrow();
    }

    private CniResult addOne(
            ObjectNode plugin, Attachment pod, Optional<CniResult> before, Deadline deadline)
            throws PodException, InterruptedException {
        var file = plugins.find(NetworkList.type(plugin), network.name());
        var version = plugins.version(network, plugin, deadline);
        var configuration = configuration(plugin, version, pod.capabilities(), before);
        var said =
                plugins.call(file, "ADD", pod.environment(), configuration, deadline)
                        .filter(json -> json.has("cniVersion"));
        return CniResult.of(
                said.orElseThrow(() ->
                        new PodException(
                                Kind.UNAVAILABLE,
                                "CNI plugin "
                                        + file
                                        + " succeeded at ADD for network "
                                        + network.name()
                                        + " and did not say with which result",
                                "is it a CNI plugin?")));
    }

    /** Takes the connection back, newest first; all are asked, even where some fail. */
    void delete(Attachment pod, Deadline deadline) throws PodException {
        var result = pod.result().map(CniResult::of);
        try (var all = new Rollback()) {
            for (var plugin : network.plugins()) {
                all.add(() -> deleteOne(plugin, pod, result, deadline));
            }
        }
    }

    private void deleteOne(
            ObjectNode plugin, Attachment pod, Optional<CniResult> result, Deadline deadline)
            throws PodException, InterruptedException {
        try {
            var file = plugins.find(NetworkList.type(plugin), network.name());
            var version = plugins.version(network, plugin, deadline);
            // the result is told since 0.4.0
            var told = result.filter(_ -> version.atLeast(CniVersion.V0_4_0));
            var configuration = configuration(plugin, version, pod.capabilities(), told);
            var _ = plugins.call(file, "DEL", pod.environment(), configuration, deadline);
        } catch (PodException e) {
            // one that is missing has made nothing where the chain did not get to its end
            if (e.kind() != Kind.NOT_FOUND || result.isPresent()) {
                throw e;
            }
        }
    }

    /** Fails where a plugin finds that the pod is not connected any more as it was. */
    void check(Attachment pod, CniResult result, Deadline deadline)
            throws PodException, InterruptedException {
        if (!network.checked()) {
            return;
        }
        for (var plugin : network.plugins()) {
            var file = plugins.find(NetworkList.type(plugin), network.name());
            var version = plugins.version(network, plugin, deadline);
            if (version.atLeast(CniVersion.V0_4_0)) {
                var configuration =
                        configuration(plugin, version, pod.capabilities(), Optional.of(result));
                var _ = plugins.call(file, "CHECK", pod.environment(), configuration, deadline);
            }
        }
    }

    /**
     * Fails where a plugin is missing, or says that it cannot serve now. All are asked at once: the
     * kubelet asks every few seconds, and a plugin changes nothing while it is asked.
     */
    void status(Deadline deadline) throws PodException, InterruptedException {
        try (var forks = new Forks("cni-status")) {
            for (var plugin : network.plugins()) {
                var _ = forks.fork(() -> status(plugin, deadline));
            }
            forks.join(deadline);
        }
    }

    private Optional<ObjectNode> status(ObjectNode plugin, Deadline deadline)
            throws PodException, InterruptedException {
        var file = plugins.find(NetworkList.type(plugin), network.name());
        var version = plugins.version(network, plugin, deadline);
        if (!version.atLeast(CniVersion.V1_1_0)) {
            return Optional.empty();
        }
        var configuration = configuration(plugin, version, nothing(), Optional.empty());
        return plugins.call(file, "STATUS", Map.of(), configuration, deadline);
    }

    /** Has the plugins give back what belongs to none of these pods. */
    void collect(List<PodId> pods, Deadline deadline) throws PodException, InterruptedException {
        if (!network.collected()) {
            return;
        }
        for (var plugin : network.plugins()) {
            var file = plugins.find(NetworkList.type(plugin), network.name());
            var version = plugins.version(network, plugin, deadline);
            if (version.atLeast(CniVersion.V1_1_0)) {
                var configuration = configuration(plugin, version, nothing(), Optional.empty());
                var valid = configuration.putArray("cni.dev/valid-attachments");
                for (var pod : pods) {
                    var one = valid.addObject();
                    one.put("containerID", pod.text());
                    one.put("ifname", Attachment.INTERFACE);
                }
                var _ = plugins.call(file, "GC", Map.of(), configuration, deadline);
            }
        }
    }

    private static ObjectNode nothing() {
        return Json.MAPPER.createObjectNode();
    }

    /** What a plugin reads: its own part of the list, and what is known by now. */
    private ObjectNode configuration(
            ObjectNode plugin,
            CniVersion version,
            ObjectNode capabilities,
            Optional<CniResult> result) {
        var configuration = plugin.deepCopy();
        var asked = configuration.remove("capabilities");
        configuration.remove(List.of("cniVersions", "disableCheck", "disableGC", RESULT));
        configuration.put("cniVersion", version.toString());
        configuration.put("name", network.name());
        var given = nothing();
        Stream.ofNullable(asked)
                .flatMap(names -> names.properties().stream())
                .filter(name -> name.getValue().asBoolean(false))
                .filter(name -> capabilities.has(name.getKey()))
                .forEach(name -> given.set(name.getKey(), capabilities.path(name.getKey())));
        if (!given.isEmpty()) {
            configuration.set("runtimeConfig", given);
        }
        result.ifPresent(it -> configuration.set(RESULT, it.in(version)));
        return configuration;
    }
}
