package podvm.node.manifest;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.ReaderException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;
import podvm.engine.PodException;
import podvm.engine.PodSpec;

/** A manifest: Pods, and the ConfigMaps and Secrets they use, in one or several documents. */
public final class Manifest {
    private static final List<String> KINDS = List.of("Pod", "ConfigMap", "Secret");

    private final Reading reading = new Reading();
    private final ConfigObjects configs = new ConfigObjects();
    private final List<Mapping> pods = new ArrayList<>();

    private Manifest() {}

    /**
     * Reads YAML or JSON. Fails with INVALID, its cause a {@link ManifestProblems} with all that is
     * wrong.
     *
     * @param source what to call it in messages: a file's name, or "-"
     */
    public static List<PodSpec> parse(byte[] bytes, String source) throws PodException {
        if (bytes.length > Documents.MOST_BYTES) {
            throw refusal(
                    source, List.of(new Problem(1, 1, "", "it is larger than 4 MiB; split it")));
        }
        var text = Documents.decode(bytes);
        if (text.isEmpty()) {
            throw refusal(
                    source, List.of(new Problem(1, 1, "", "it is not UTF-8 text; convert it")));
        }
        try {
            return new Manifest().read(text.get(), source);
        } catch (YamlEngineException e) {
            throw refusal(source, List.of(broken(e, text.get())));
        }
    }

    private List<PodSpec> read(String text, String source) throws PodException {
        var documents = Documents.read(text, source, reading);
        documents.forEach(this::sort);
        var specs = specs();
        if (documents.isEmpty()) {
            reading.problem(Optional.empty(), "", "it is empty; give it a Pod");
        } else if (pods.isEmpty() && reading.problems().isEmpty()) {
            reading.problem(documents.getFirst(), "", "it has no Pod; add one");
        }
        var problems = reading.problems();
        if (!problems.isEmpty()) {
            throw refusal(source, problems);
        }
        return specs;
    }

    /** Pods wait until all that they may refer to is known. */
    private void sort(Node document) {
        var object = new Value(reading, document, "").mapping();
        if (object.isEmpty()) {
            return;
        }
        var fields = object.get();
        var version = fields.requireText("apiVersion");
        var kind = fields.requireText("kind");
        if (version.isEmpty() || kind.isEmpty()) {
            return;
        }
        if (!version.get().equals("v1") || !KINDS.contains(kind.get())) {
            var at = KINDS.contains(kind.get()) ? "apiVersion" : "kind";
            fields.get(at)
                    .ifPresent(value ->
                            value.problem(
                                    "podvm run takes Pod, ConfigMap and Secret of v1, not"
                                            + " %s of %s%s"
                                                    .formatted(
                                                            kind.get(),
                                                            version.get(),
                                                            Suggestion.among(KINDS, kind.get()))));
            return;
        }
        switch (kind.get()) {
            case "ConfigMap" ->
                    ConfigObject.configMap(fields)
                            .ifPresent(o -> configs.add("ConfigMap", o, fields));
            case "Secret" ->
                    ConfigObject.secret(fields).ifPresent(o -> configs.add("Secret", o, fields));
            default -> pods.add(fields);
        }
    }

    private List<PodSpec> specs() {
        var reader = new PodReader(configs);
        var lines = new HashMap<String, Integer>();
        var specs = new ArrayList<PodSpec>();
        for (var fields : pods) {
            var spec = reader.read(fields);
            if (spec.isEmpty()) {
                continue;
            }
            var name = spec.get().namespace() + "/" + spec.get().name();
            var first = lines.putIfAbsent(name, fields.line());
            if (first != null) {
                fields.problem("Pod " + name + " is there twice, first in line " + first);
            }
            specs.add(spec.get());
        }
        return specs;
    }

    private static Problem broken(YamlEngineException failure, String text) {
        return switch (failure) {
            case MarkedYamlEngineException marked -> {
                var at = marked.getProblemMark().or(marked::getContextMark);
                var context = marked.getContext();
                var where = context == null || context.isEmpty() ? "" : " (" + context + ")";
                yield new Problem(
                        Reading.line(at),
                        Reading.column(at),
                        "",
                        "it cannot be read as YAML: " + marked.getProblem() + where);
            }
            case ReaderException unprintable -> {
                var before = text.substring(0, Math.min(text.length(), unprintable.getPosition()));
                var line = (int) before.chars().filter(c -> c == '\n').count() + 1;
                yield new Problem(
                        line,
                        before.length() - before.lastIndexOf('\n'),
                        "",
                        "it has a character that YAML forbids: U+%04X"
                                .formatted(unprintable.getCodePoint()));
            }
            default -> new Problem(1, 1, "", "it cannot be read: " + failure.getMessage());
        };
    }

    private static PodException refusal(String source, List<Problem> problems) {
        var count = problems.size() == 1 ? "1 problem" : problems.size() + " problems";
        return new PodException(
                PodException.Kind.INVALID,
                "manifest " + source + " has " + count,
                "correct it and run it again",
                new ManifestProblems(problems));
    }
}
