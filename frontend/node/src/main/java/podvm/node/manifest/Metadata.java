package podvm.node.manifest;

import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** An object's metadata. */
record Metadata(
        String namespace,
        String name,
        Map<String, String> labels,
        Map<String, String> annotations) {
    /** Without vowels and look-alikes, so that nothing is spelt by accident. */
    private static final String LETTERS = "bcdfghjklmnpqrstvwxz2456789";

    /** What a server fills in; a manifest that was fetched from one has it. */
    private static final List<String> OF_THE_SERVER =
            List.of("creationTimestamp", "resourceVersion", "uid", "generation", "managedFields");

    private static final SecureRandom RANDOM = new SecureRandom();

    static Optional<Metadata> read(Mapping object) {
        var mapping = object.require("metadata").flatMap(Value::mapping);
        if (mapping.isEmpty()) {
            return Optional.empty();
        }
        var fields = mapping.get();
        OF_THE_SERVER.forEach(fields::get);
        var name = name(fields);
        var namespace = namespace(fields);
        var labels = fields.mapping("labels").map(Metadata::labels).orElse(Map.of());
        var annotations = fields.mapping("annotations").map(Metadata::annotations).orElse(Map.of());
        fields.finish(KubernetesFields.METADATA);
        return name.map(text -> new Metadata(namespace, text, labels, annotations));
    }

    private static Optional<String> name(Mapping fields) {
        var given = fields.get("name");
        var prefix = fields.get("generateName");
        var value = given.isPresent() ? given : prefix;
        if (value.isEmpty()) {
            fields.require("name");
            return Optional.empty();
        }
        var text = value.get().text();
        if (text.isEmpty()) {
            return Optional.empty();
        }
        var name = given.isPresent() ? text.get() : text.get() + suffix();
        if (!Names.isSubdomain(name)) {
            value.get().problem("must be " + Names.SUBDOMAIN_FORM + ", not " + text.get());
            return Optional.empty();
        }
        return Optional.of(name);
    }

    private static String namespace(Mapping fields) {
        var value = fields.get("namespace");
        var text = value.flatMap(Value::text).orElse("default");
        if (value.isPresent() && !Names.isLabel(text)) {
            value.get().problem("must be " + Names.LABEL_FORM + ", not " + text);
        }
        return text;
    }

    private static Map<String, String> labels(Mapping labels) {
        checkKeys(labels);
        labels.entries()
                .values()
                .forEach(value -> {
                    var text = value.text();
                    if (text.isPresent() && !Names.isLabelValue(text.get())) {
                        value.problem(
                                "must be at most 63 letters, digits, dashes, dots and"
                                        + " underscores");
                    }
                });
        return labels.texts();
    }

    private static Map<String, String> annotations(Mapping annotations) {
        checkKeys(annotations);
        return annotations.texts();
    }

    private static void checkKeys(Mapping mapping) {
        mapping.entries()
                .forEach((key, value) -> {
                    if (!Names.isQualified(key)) {
                        value.problem(
                                "the key must be like app or example.com/app, with at most"
                                        + " 63 letters, digits, dashes, dots and underscores");
                    }
                });
    }

    private static String suffix() {
        var text = new StringBuilder();
        for (var i = 0; i < 5; i++) {
            text.append(LETTERS.charAt(RANDOM.nextInt(LETTERS.length())));
        }
        return text.toString();
    }
}
