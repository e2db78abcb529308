package podvm.image.trust;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import podvm.engine.PodException;
import podvm.image.content.Json;
import tools.jackson.databind.JsonNode;

/**
 * Reads a policy in the form of containers-policy.json(5), strictly: what it does not know it
 * refuses by name, since a requirement that is overlooked would be one that holds.
 */
final class PolicyReader {
    private static final Set<String> SIGNED_KEYS =
            Set.of("type", "keyPath", "keyPaths", "keyData", "keyDatas", "signedIdentity");

    private final String what;

    /**
     * @param what the policy is, for messages
     */
    PolicyReader(String what) {
        this.what = what;
    }

    /** Requirements by transport and scope; the default is that of the empty transport. */
    Map<String, Map<String, List<Requirement>>> read(byte[] json) throws PodException {
        var root = Json.parse(json, what);
        only(root, "the policy", Set.of("default", "transports"));
        var transports = new TreeMap<String, Map<String, List<Requirement>>>();
        transports.put("", Map.of("", requirements(root.path("default"), "default")));
        for (var transport : root.path("transports").properties()) {
            var scopes = new TreeMap<String, List<Requirement>>();
            for (var scope : transport.getValue().properties()) {
                var place = "transports.%s[\"%s\"]".formatted(transport.getKey(), scope.getKey());
                scopes.put(scope.getKey(), requirements(scope.getValue(), place));
            }
            transports.put(transport.getKey(), scopes);
        }
        return transports;
    }

    private List<Requirement> requirements(JsonNode array, String place) throws PodException {
        if (!array.isArray() || array.isEmpty()) {
            throw wrong(place + " is not a list of requirements, or an empty one");
        }
        var found = new ArrayList<Requirement>();
        for (var node : array) {
            found.add(requirement(node, place));
        }
        return List.copyOf(found);
    }

    private Requirement requirement(JsonNode node, String place) throws PodException {
        var type = Json.text(node, "type");
        return switch (type) {
            case "insecureAcceptAnything" -> {
                only(node, place, Set.of("type"));
                yield new Requirement.AcceptAnything();
            }
            case "reject" -> {
                only(node, place, Set.of("type"));
                yield new Requirement.Reject();
            }
            case "sigstoreSigned" -> {
                only(node, place, SIGNED_KEYS);
                yield new Requirement.Signed(
                        new PublicKeys(what + ": " + place).read(node), identity(node, place));
            }
            default ->
                    throw wrong(
                            "%s has a requirement of type '%s'; there is insecureAcceptAnything, reject and sigstoreSigned"
                                    .formatted(place, type));
        };
    }

    private Identity identity(JsonNode requirement, String place) throws PodException {
        var node = requirement.path("signedIdentity");
        if (node.isMissingNode()) {
            return new Identity.MatchRepoDigestOrExact();
        }
        var type = Json.text(node, "type");
        return switch (type) {
            case "matchExact" -> plain(node, place, new Identity.MatchExact());
            case "matchRepoDigestOrExact" ->
                    plain(node, place, new Identity.MatchRepoDigestOrExact());
            case "matchRepository" -> plain(node, place, new Identity.MatchRepository());
            case "exactReference" -> {
                only(node, place, Set.of("type", "dockerReference"));
                yield new Identity.ExactReference(text(node, "dockerReference", place));
            }
            case "exactRepository" -> {
                only(node, place, Set.of("type", "dockerRepository"));
                yield new Identity.ExactRepository(text(node, "dockerRepository", place));
            }
            case "remapIdentity" -> {
                only(node, place, Set.of("type", "prefix", "signedPrefix"));
                yield new Identity.RemapIdentity(
                        text(node, "prefix", place), text(node, "signedPrefix", place));
            }
            default -> throw wrong("%s has a signedIdentity of type '%s'".formatted(place, type));
        };
    }

    private Identity plain(JsonNode node, String place, Identity identity) throws PodException {
        only(node, place, Set.of("type"));
        return identity;
    }

    private String text(JsonNode node, String field, String place) throws PodException {
        var text = Json.text(node, field);
        if (text.isEmpty()) {
            throw wrong("%s tells no %s".formatted(place, field));
        }
        return text;
    }

    private void only(JsonNode node, String place, Set<String> known) throws PodException {
        if (!node.isObject()) {
            throw wrong(place + " is not an object");
        }
        for (var field : node.properties()) {
            if (!known.contains(field.getKey())) {
                throw wrong("%s has '%s', which is not honoured".formatted(place, field.getKey()));
            }
        }
    }

    private PodException wrong(String message) {
        return new PodException(
                PodException.Kind.INVALID,
                "%s: %s".formatted(what, message),
                "docs/howto/images.md tells what a policy may say");
    }
}
