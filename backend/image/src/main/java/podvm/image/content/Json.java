package podvm.image.content;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import podvm.engine.PodException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Reads a stranger's JSON: what is missing or of another kind counts as empty. */
public final class Json {
    /** The same object gives the same bytes in every process: digests are made of them. */
    private static final JsonMapper MAPPER =
            JsonMapper.builder().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS).build();

    private Json() {}

    /**
     * @param what it is, for messages: "manifest of …"
     */
    public static JsonNode parse(byte[] bytes, String what) throws PodException {
        try {
            var node = MAPPER.readTree(bytes);
            if (node.isContainer()) {
                return node;
            }
            throw corrupt(what, "neither object nor array", null);
        } catch (JacksonException e) {
            throw corrupt(what, e.getOriginalMessage(), e);
        }
    }

    public static byte[] bytes(Map<String, ?> object) {
        return MAPPER.writeValueAsBytes(object);
    }

    public static byte[] bytes(JsonNode node) {
        return MAPPER.writeValueAsBytes(node);
    }

    public static String text(JsonNode node, String field) {
        return node.path(field).asString("");
    }

    public static List<String> texts(JsonNode array) {
        var texts = new ArrayList<String>();
        for (var element : array) {
            texts.add(element.asString(""));
        }
        return texts;
    }

    public static Map<String, String> textMap(JsonNode object) {
        var map = new LinkedHashMap<String, String>();
        object.properties()
                .forEach(field -> map.put(field.getKey(), field.getValue().asString("")));
        return map;
    }

    private static PodException corrupt(String what, String why, @Nullable Throwable cause) {
        return new PodException(
                PodException.Kind.CORRUPT,
                "%s is not JSON: %s".formatted(what, why),
                "fetch or build the image again",
                cause);
    }
}
