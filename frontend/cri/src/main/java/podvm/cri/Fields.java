package podvm.cri;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * What becomes of each field of a request: fields.txt, in memory. No field is ignored in silence: a
 * request that sets a refused one fails, one that sets a noted one is noted.
 */
final class Fields {
    enum Fate {
        HONOURED,
        NOTED,
        REPEATED,
        REFUSED
    }

    record Rule(Fate fate, String reason) {}

    private static final String TABLE = "fields.txt";

    private final Map<String, Rule> rules;
    private final Consumer<String> notes;
    private final Set<String> noted = ConcurrentHashMap.newKeySet();

    /**
     * @param notes hears once of each field that was set and has no effect
     */
    Fields(Consumer<String> notes) {
        this.rules = read();
        this.notes = notes;
    }

    private static Map<String, Rule> read() {
        var rules = new LinkedHashMap<String, Rule>();
        try (var in = Fields.class.getResourceAsStream(TABLE)) {
            if (in == null) {
                throw new IllegalStateException(TABLE + " is not in the jar");
            }
            for (var line : new String(in.readAllBytes(), UTF_8).split("\n")) {
                if (!line.startsWith("#")) {
                    var part = line.split("\\s+", 3);
                    var fate = Fate.valueOf(part[1].toUpperCase(Locale.ROOT));
                    rules.put(part[0], new Rule(fate, part.length > 2 ? part[2] : ""));
                }
            }
        } catch (IOException e) {
            throw new IllegalStateException("cannot read " + TABLE, e);
        }
        return rules;
    }

    Map<String, Rule> rules() {
        return rules;
    }

    /** Fails with UNSUPPORTED at the first refused field that is set. */
    void check(Message request) throws PodException {
        check(request, "", "");
    }

    private void check(Message message, String path, String place) throws PodException {
        var name = message.getDescriptorForType().getName();
        for (var entry : message.getAllFields().entrySet()) {
            var field = entry.getKey();
            if (isNothing(entry.getValue())) {
                continue;
            }
            var where = path + field.getName();
            var rule = rule(name, place, field);
            switch (rule.fate()) {
                case HONOURED -> checkBelow(name, field, entry.getValue(), where);
                case NOTED -> note(where, rule.reason());
                case REPEATED -> {
                    // said before, or of no interest to anybody
                }
                case REFUSED ->
                        throw new PodException(
                                Kind.UNSUPPORTED,
                                "the field " + where + " cannot be honoured: " + rule.reason(),
                                "leave it unset");
            }
        }
        for (var number : message.getUnknownFields().asMap().keySet()) {
            note(path + "#" + number, "this version does not know it");
        }
    }

    private void checkBelow(String parent, FieldDescriptor field, Object value, String where)
            throws PodException {
        if (field.isMapField() || field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
            return;
        }
        List<?> messages = value instanceof List<?> list ? list : List.of(value);
        for (var one : messages) {
            check((Message) one, where + ".", parent + "." + field.getName() + ".");
        }
    }

    /** The kubelet sends some messages that say nothing. */
    private static boolean isNothing(Object value) {
        return switch (value) {
            case Collection<?> list -> list.isEmpty();
            case Message message ->
                    message.equals(message.getDefaultInstanceForType())
                            && !message.getDescriptorForType().getName().equals("UserNamespace");
            default -> false;
        };
    }

    private Rule rule(String message, String place, FieldDescriptor field) {
        @Nullable Rule here = place.isEmpty() ? null : rules.get(place + field.getName());
        var rule = here == null ? rules.get(message + "." + field.getName()) : here;
        if (rule == null) {
            throw new IllegalStateException(
                    TABLE + " does not have " + message + "." + field.getName());
        }
        return rule;
    }

    private void note(String where, String reason) {
        if (noted.add(where)) {
            notes.accept("the field " + where + " has no effect: " + reason);
        }
    }
}
