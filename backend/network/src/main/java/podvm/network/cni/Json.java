package podvm.network.cni;

import java.util.List;
import java.util.Optional;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** The language that plugins and their configuration speak. */
final class Json {
    static final JsonMapper MAPPER =
            JsonMapper.builder()
                    // a record written by a newer daemon can still be read after a downgrade
                    .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
                    .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
                    .build();

    private Json() {}

    /** Empty where it is none. */
    static Optional<ObjectNode> object(byte[] text) {
        try {
            return MAPPER.readTree(text) instanceof ObjectNode object
                    ? Optional.of(object)
                    : Optional.empty();
        } catch (JacksonException _) {
            return Optional.empty();
        }
    }

    static byte[] bytes(Object value) {
        return MAPPER.writeValueAsBytes(value);
    }

    static List<String> texts(JsonNode array) {
        return array.valueStream().map(one -> one.asString("")).toList();
    }
}
