package podvm.node.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** A ConfigMap or a Secret: bytes by key. */
record ConfigObject(Metadata metadata, Map<String, byte[]> data) {
    static Optional<ConfigObject> configMap(Mapping object) {
        var metadata = Metadata.read(object);
        var data = new LinkedHashMap<String, byte[]>();
        object.mapping("data").ifPresent(fields -> addTexts(fields, data, false));
        object.mapping("binaryData").ifPresent(fields -> addBase64(fields, data));
        object.flag("immutable", false);
        object.finish(KubernetesFields.CONFIG_MAP);
        return metadata.map(known -> new ConfigObject(known, data));
    }

    static Optional<ConfigObject> secret(Mapping object) {
        var metadata = Metadata.read(object);
        var data = new LinkedHashMap<String, byte[]>();
        object.mapping("data").ifPresent(fields -> addBase64(fields, data));
        object.mapping("stringData").ifPresent(fields -> addTexts(fields, data, true));
        object.text("type");
        object.flag("immutable", false);
        object.finish(KubernetesFields.SECRET);
        return metadata.map(known -> new ConfigObject(known, data));
    }

    private static void addTexts(Mapping fields, Map<String, byte[]> data, boolean replace) {
        fields.entries()
                .forEach((key, value) ->
                        value.text()
                                .ifPresent(t -> add(key, value, t.getBytes(UTF_8), data, replace)));
    }

    private static void addBase64(Mapping fields, Map<String, byte[]> data) {
        fields.entries()
                .forEach((key, value) ->
                        value.text()
                                .flatMap(text -> decode(value, text))
                                .ifPresent(bytes -> add(key, value, bytes, data, false)));
    }

    private static Optional<byte[]> decode(Value value, String text) {
        try {
            return Optional.of(Base64.getDecoder().decode(text.replaceAll("\\s", "")));
        } catch (IllegalArgumentException _) {
            value.problem("is not base64; plain text of a Secret goes into stringData");
            return Optional.empty();
        }
    }

    private static void add(
            String key, Value at, byte[] bytes, Map<String, byte[]> data, boolean replace) {
        if (!Names.isKey(key)) {
            at.problem("the key must be at most 253 letters, digits, dashes, dots and underscores");
        } else if (data.put(key, bytes) != null && !replace) {
            at.problem("the key is in data too");
        }
    }
}
