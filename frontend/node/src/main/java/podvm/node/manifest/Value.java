package podvm.node.manifest;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * A value and the path that leads to it. Reading it as what it is not notes a problem and gives
 * nothing.
 */
final class Value {
    private final Reading reading;
    private final Node node;
    private final String path;

    Value(Reading reading, Node node, String path) {
        reading.visit();
        this.reading = reading;
        this.node = node;
        this.path = path;
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

    boolean isNull() {
        return node.getTag().equals(Tag.NULL);
    }

    boolean isEmptyMapping() {
        return node instanceof MappingNode mapping && mapping.getValue().isEmpty();
    }

    Optional<String> text() {
        return scalar(Tag.STR, "a text");
    }

    Optional<Boolean> flag() {
        return scalar(Tag.BOOL, "true or false").map(Boolean::parseBoolean);
    }

    Optional<Long> integer(long least, long most) {
        return scalar(Tag.INT, "a whole number").flatMap(text -> number(text, least, most));
    }

    private Optional<Long> number(String text, long least, long most) {
        if (text.matches("-?(0|[1-9][0-9]{0,17})")) {
            var number = Long.parseLong(text);
            if (number >= least && number <= most) {
                return Optional.of(number);
            }
        }
        problem("must be a decimal number from " + least + " to " + most + ", not " + text);
        return Optional.empty();
    }

    /** File permission bits: octal as in 0644 or 0o644, or decimal as JSON has them. */
    Optional<Integer> mode() {
        var text = scalar(Tag.INT, "file permission bits such as 0644");
        if (text.isEmpty()) {
            return Optional.empty();
        }
        var digits = text.get();
        var octal = digits.startsWith("0") && digits.length() > 1;
        var bare = octal ? digits.replaceFirst("^0o?", "") : digits;
        if (bare.matches(octal ? "[0-7]{1,5}" : "[0-9]{1,5}")) {
            var mode = Integer.parseInt(bare, octal ? 8 : 10);
            if (mode <= 0777) {
                return Optional.of(mode);
            }
        }
        problem("must be permission bits from 0 to 0777, not " + digits);
        return Optional.empty();
    }

    /** A text or a number, as it is written: what quantities are made of. */
    Optional<String> literal() {
        if (node instanceof ScalarNode scalar
                && List.of(Tag.STR, Tag.INT, Tag.FLOAT).contains(node.getTag())) {
            return Optional.of(scalar.getValue());
        }
        problem("must be a quantity such as 500m or 128Mi, not " + kind());
        return Optional.empty();
    }

    Optional<Mapping> mapping() {
        if (node instanceof MappingNode mapping && !mapping.isRecursive()) {
            return Optional.of(new Mapping(reading, mapping, path));
        }
        problem("must be a mapping of fields, not " + kind());
        return Optional.empty();
    }

    List<Value> list() {
        if (!(node instanceof SequenceNode sequence) || sequence.isRecursive()) {
            problem("must be a list, not " + kind());
            return List.of();
        }
        var values = new ArrayList<Value>();
        for (var item : sequence.getValue()) {
            var value = new Value(reading, item, path + "[" + values.size() + "]");
            if (value.isNull()) {
                value.problem("must not be empty");
            }
            values.add(value);
        }
        values.removeIf(Value::isNull);
        return values;
    }

    List<String> texts() {
        return list().stream().flatMap(value -> value.text().stream()).toList();
    }

    List<Mapping> mappings() {
        return list().stream().flatMap(value -> value.mapping().stream()).toList();
    }

    private Optional<String> scalar(Tag tag, String wanted) {
        if (node instanceof ScalarNode scalar && node.getTag().equals(tag)) {
            return Optional.of(scalar.getValue());
        }
        var quote = tag.equals(Tag.STR) && node instanceof ScalarNode ? "; put it in quotes" : "";
        problem("must be " + wanted + ", not " + kind() + quote);
        return Optional.empty();
    }

    private String kind() {
        if (node.isRecursive()) {
            return "something that contains itself";
        }
        return switch (node) {
            case MappingNode _ -> "a mapping";
            case SequenceNode _ -> "a list";
            default -> scalarKind();
        };
    }

    private String scalarKind() {
        var tag = node.getTag();
        if (tag.equals(Tag.STR)) {
            return "a text";
        }
        if (tag.equals(Tag.INT) || tag.equals(Tag.FLOAT)) {
            return "a number";
        }
        if (tag.equals(Tag.BOOL)) {
            return "true or false";
        }
        return tag.equals(Tag.NULL) ? "nothing" : "a value tagged " + tag.getValue();
    }
}
