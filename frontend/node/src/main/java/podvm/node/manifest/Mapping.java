package podvm.node.manifest;

import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/**
 * The fields of one object. What has not been read when {@link #finish} is called is refused: so a
 * field is honoured if, and only if, code asks for it.
 */
final class Mapping {
    private final Reading reading;
    private final Node node;
    private final String path;
    private final Map<String, Value> values = new LinkedHashMap<>();
    private final Map<String, Node> keys = new LinkedHashMap<>();
    private final Set<String> read = new HashSet<>();

    Mapping(Reading reading, MappingNode node, String path) {
        this.reading = reading;
        this.node = node;
        this.path = path;
        for (var entry : node.getValue()) {
            add(entry.getKeyNode(), entry.getValueNode());
        }
    }

    private void add(Node key, Node value) {
        if (!(key instanceof ScalarNode scalar)) {
            reading.problem(key, path, "a field's name must be a text");
            return;
        }
        var name = scalar.getValue();
        var first = keys.putIfAbsent(name, key);
        if (first != null) {
            var line = Reading.line(first.getStartMark());
            reading.problem(key, child(name), "is given twice, first in line " + line);
            return;
        }
        values.put(name, new Value(reading, value, child(name)));
    }

    private String child(String name) {
        if (path.isEmpty()) {
            return name;
        }
        return name.matches("[A-Za-z][A-Za-z0-9]*") ? path + "." + name : path + "[" + name + "]";
    }

    String path() {
        return path;
    }

    int line() {
        return Reading.line(node.getStartMark());
    }

    void problem(String message) {
        reading.problem(node, path, message);
    }

    /** Empty where the field is missing or null. */
    Optional<Value> get(String name) {
        read.add(name);
        return Optional.ofNullable(values.get(name)).filter(value -> !value.isNull());
    }

    Optional<Value> require(String name) {
        var value = get(name);
        if (value.isEmpty()) {
            reading.problem(node, child(name), "is required");
        }
        return value;
    }

    Optional<String> text(String name) {
        return get(name).flatMap(Value::text);
    }

    Optional<String> requireText(String name) {
        var value = require(name).flatMap(Value::text);
        if (value.isPresent() && value.get().isEmpty()) {
            reading.problem(node, child(name), "must not be empty");
            return Optional.empty();
        }
        return value;
    }

    boolean flag(String name, boolean absent) {
        return get(name).flatMap(Value::flag).orElse(absent);
    }

    Optional<Mapping> mapping(String name) {
        return get(name).flatMap(Value::mapping);
    }

    List<Mapping> mappings(String name) {
        return get(name).map(Value::mappings).orElse(List.of());
    }

    /** One of the given words; others are a problem. */
    Optional<String> choice(String name, Collection<String> words) {
        var value = get(name);
        var text = value.flatMap(Value::text);
        if (value.isPresent() && text.isPresent() && !words.contains(text.get())) {
            var meant = Suggestion.among(words, text.get());
            value.get()
                    .problem(
                            text.get()
                                    + " is not one of "
                                    + String.join(", ", words.stream().sorted().toList())
                                    + meant);
            return Optional.empty();
        }
        return text;
    }

    /** All fields, for objects whose field names are the user's own. */
    Map<String, Value> entries() {
        read.addAll(values.keySet());
        var present = new LinkedHashMap<>(values);
        present.values().removeIf(Value::isNull);
        return present;
    }

    /** All fields as texts. */
    Map<String, String> texts() {
        var texts = new LinkedHashMap<String, String>();
        entries().forEach((name, value) -> value.text().ifPresent(t -> texts.put(name, t)));
        return texts;
    }

    boolean hasUnread() {
        return !read.containsAll(values.keySet());
    }

    /** Refuses every field that nobody has read. */
    void finish(KubernetesFields known) {
        for (var entry : values.entrySet()) {
            var name = entry.getKey();
            if (read.contains(name)) {
                continue;
            }
            if (!known.has(name)) {
                reading.problem(
                        keyOf(name),
                        child(name),
                        "unknown field" + Suggestion.among(known.names(), name));
            } else if (!entry.getValue().isNull()) {
                reading.problem(
                        keyOf(name), child(name), "not honoured by podvm run: " + known.why(name));
            }
        }
    }

    private Node keyOf(String name) {
        return keys.getOrDefault(name, node);
    }
}
