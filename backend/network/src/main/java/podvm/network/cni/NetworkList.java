package podvm.network.cni;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * A network as its administrator has configured it: a chain of plugins.
 *
 * @param source its file, for messages
 * @param json as it was read, and as it is kept for the pods that use it
 * @param version the newest that the whole chain may speak
 */
record NetworkList(
        String source, ObjectNode json, String name, CniVersion version, List<ObjectNode> plugins) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*");
    private static final Pattern TYPE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]*");

    /** Reads a list; a single plugin's configuration is a list of one. */
    static NetworkList parse(String source, byte[] text) throws PodException {
        var json = Json.object(text).orElseThrow(() -> wrong(source, "it is not one JSON object"));
        return of(source, json);
    }

    static NetworkList of(String source, ObjectNode json) throws PodException {
        var name = json.path("name").asString("");
        if (!NAME.matcher(name).matches()) {
            throw wrong(source, "its name is \"" + name + "\"");
        }
        return new NetworkList(source, json, name, version(source, json), plugins(source, json));
    }

    private static List<ObjectNode> plugins(String source, ObjectNode json) throws PodException {
        if (!json.has("plugins")) {
            return List.of(plugin(source, json));
        }
        var plugins = new ArrayList<ObjectNode>();
        for (var plugin : json.path("plugins")) {
            plugins.add(plugin(source, plugin));
        }
        if (plugins.isEmpty()) {
            throw wrong(source, "it has no plugins");
        }
        return List.copyOf(plugins);
    }

    private static ObjectNode plugin(String source, JsonNode json) throws PodException {
        // the type is a file's name in the plugins' directories
        if (json instanceof ObjectNode plugin && TYPE.matcher(type(plugin)).matches()) {
            return plugin;
        }
        throw wrong(source, "a plugin has the type \"" + json.path("type").asString("") + "\"");
    }

    private static CniVersion version(String source, ObjectNode json) throws PodException {
        var texts = new HashSet<>(Json.texts(json.path("cniVersions")));
        texts.add(json.path("cniVersion").asString("0.1.0"));
        var versions = new ArrayList<CniVersion>();
        texts.forEach(text -> CniVersion.parse(text).ifPresent(versions::add));
        return CniVersion.V1_1_0
                .newestAmong(versions)
                .orElseThrow(() ->
                        wrong(
                                source,
                                "it has cniVersion "
                                        + String.join(", ", new TreeSet<>(texts))
                                        + ", and PodVM speaks 0.3.0 to 1.1.0"));
    }

    private static PodException wrong(String source, String why) {
        return new PodException(
                Kind.INVALID,
                "the CNI configuration " + source + " is wrong: " + why,
                "correct or remove the file");
    }

    static String type(ObjectNode plugin) {
        return plugin.path("type").asString("");
    }

    List<String> types() {
        return plugins.stream().map(NetworkList::type).toList();
    }

    /** What the chain wants to be told of a pod, such as "portMappings". */
    Set<String> capabilities() {
        var names = new TreeSet<String>();
        for (var plugin : plugins) {
            for (var capability : plugin.path("capabilities").properties()) {
                if (capability.getValue().asBoolean(false)) {
                    names.add(capability.getKey());
                }
            }
        }
        return names;
    }

    boolean checked() {
        return !flag("disableCheck");
    }

    boolean collected() {
        return !flag("disableGC");
    }

    /** Both true and "true" are in use. */
    private boolean flag(String key) {
        return json.path(key).asString("").equalsIgnoreCase("true");
    }
}
