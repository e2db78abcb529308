package podvm.cli;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Messages as JSON, every field there whether set or not. Times, which the wire has as nanoseconds
 * in x_unix_ns, are "x": RFC 3339 or null.
 */
final class Json {
    private static final String TIME = "_unix_ns";

    private final StringBuilder out = new StringBuilder();

    private final String indent;

    private Json(String indent) {
        this.indent = indent;
    }

    static String of(Message message) {
        var json = new Json("  ");
        json.message(message, "\n");
        return json.out.toString();
    }

    static String of(List<? extends Message> messages) {
        var json = new Json("  ");
        json.list(messages, "\n");
        return json.out.toString();
    }

    /**
     * In one line that begins with what the message is about; of a choice, the part that is set.
     */
    static String line(String event, Message message) {
        var json = new Json("");
        json.out.append("{\"event\": ");
        json.text(event);
        for (var field : message.getDescriptorForType().getFields()) {
            if (field.getContainingOneof() == null || message.hasField(field)) {
                json.out.append(", ");
                json.field(message, field, "");
            }
        }
        return json.out.append('}').toString();
    }

    private void message(MessageOrBuilder message, String newline) {
        var inner = newline + indent;
        var separator = "{";
        for (var field : message.getDescriptorForType().getFields()) {
            out.append(separator).append(inner);
            separator = ",";
            field(message, field, inner);
        }
        out.append(separator.equals("{") ? "{}" : newline + "}");
    }

    private void field(MessageOrBuilder message, FieldDescriptor field, String newline) {
        var name = field.getName();
        if (name.endsWith(TIME)) {
            name = name.substring(0, name.length() - TIME.length());
        }
        text(camel(name));
        out.append(": ");
        var value = message.getField(field);
        if (field.isMapField()) {
            map((List<?>) value, newline);
        } else if (field.isRepeated()) {
            list((List<?>) value, newline);
        } else if (field.getName().endsWith(TIME)) {
            time((Long) value);
        } else {
            value(value, newline);
        }
    }

    private static String camel(String name) {
        var text = new StringBuilder();
        for (var i = 0; i < name.length(); i++) {
            if (name.charAt(i) == '_') {
                i++;
                text.append(Character.toUpperCase(name.charAt(i)));
            } else {
                text.append(name.charAt(i));
            }
        }
        return text.toString();
    }

    private void map(List<?> entries, String newline) {
        var sorted = new TreeMap<String, Object>();
        for (var entry : entries) {
            var message = (Message) entry;
            var fields = message.getDescriptorForType().getFields();
            sorted.put(message.getField(fields.get(0)).toString(), message.getField(fields.get(1)));
        }
        var separator = "{";
        for (Map.Entry<String, Object> entry : sorted.entrySet()) {
            out.append(separator).append(newline).append(indent);
            separator = ",";
            text(entry.getKey());
            out.append(": ");
            value(entry.getValue(), newline + indent);
        }
        out.append(separator.equals("{") ? "{}" : newline + "}");
    }

    private void list(List<?> values, String newline) {
        var separator = "[";
        for (var value : values) {
            out.append(separator).append(newline).append(indent);
            separator = ",";
            value(value, newline + indent);
        }
        out.append(separator.equals("[") ? "[]" : newline + "]");
    }

    private void value(Object value, String newline) {
        switch (value) {
            case Message message -> message(message, newline);
            case ByteString bytes -> text(bytes.toStringUtf8());
            case EnumValueDescriptor word -> text(word.getName());
            case String string -> text(string);
            default -> out.append(value);
        }
    }

    private void time(long nanos) {
        if (nanos == 0) {
            out.append("null");
        } else {
            text(Instant.ofEpochSecond(0, nanos).toString());
        }
    }

    private void text(String text) {
        out.append('"');
        for (var i = 0; i < text.length(); i++) {
            var c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                case '\n' -> out.append("\\n");
                case '\t' -> out.append("\\t");
                default -> {
                    if (c < ' ' || c == 0x7f) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        out.append('"');
    }
}
