package podvm.network.cni;

import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * What a chain of plugins has made, kept in the form of version 1.1 and told to each plugin in the
 * form of its own.
 */
record CniResult(ObjectNode json) {
    private static final List<String> NEW_OF_INTERFACES = List.of("mtu", "socketPath", "pciID");
    private static final List<String> NEW_OF_ROUTES =
            List.of("mtu", "advmss", "priority", "table", "scope");

    /** From any version that we speak. What is newer in 1.1 may be missing anyway. */
    static CniResult of(ObjectNode told) {
        var json = told.deepCopy();
        json.put("cniVersion", CniVersion.V1_1_0.toString());
        // since 1.0 an address says itself which family it has
        objects(json.path("ips")).forEach(ip -> ip.remove("version"));
        return new CniResult(json);
    }

    ObjectNode in(CniVersion version) {
        var told = json.deepCopy();
        told.put("cniVersion", version.toString());
        if (!version.atLeast(CniVersion.V1_1_0)) {
            objects(told.path("interfaces")).forEach(one -> one.remove(NEW_OF_INTERFACES));
            objects(told.path("routes")).forEach(one -> one.remove(NEW_OF_ROUTES));
        }
        if (!version.atLeast(CniVersion.V1_0_0)) {
            for (var ip : objects(told.path("ips"))) {
                ip.put("version", ip.path("address").asString("").contains(":") ? "6" : "4");
            }
        }
        return told;
    }

    /** Addresses without prefix length, in the order told. */
    List<String> ips() {
        return json.path("ips")
                .valueStream()
                .map(ip -> ip.path("address").asString("").replaceFirst("/.*", ""))
                .filter(ip -> !ip.isEmpty())
                .toList();
    }

    List<String> nameservers() {
        return Json.texts(json.path("dns").path("nameservers"));
    }

    List<String> searchDomains() {
        var search = Json.texts(json.path("dns").path("search"));
        var domain = json.path("dns").path("domain").asString("");
        return search.isEmpty() && !domain.isEmpty() ? List.of(domain) : search;
    }

    List<String> resolverOptions() {
        return Json.texts(json.path("dns").path("options"));
    }

    private static List<ObjectNode> objects(JsonNode array) {
        var objects = new ArrayList<ObjectNode>();
        for (var one : array) {
            if (one instanceof ObjectNode object) {
                objects.add(object);
            }
        }
        return objects;
    }
}
