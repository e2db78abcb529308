package podvm.node.manifest;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import podvm.engine.ContainerSpec.EnvSpec;

/**
 * A container's environment, in the kubelet's order: all of envFrom, then env; of two values of one
 * name the later counts.
 */
final class EnvReader {
    private static final Set<String> FIELDS =
            Set.of(
                    "metadata.name",
                    "metadata.namespace",
                    "metadata.uid",
                    "spec.nodeName",
                    "spec.serviceAccountName",
                    "status.hostIP",
                    "status.hostIPs",
                    "status.podIP",
                    "status.podIPs");
    private static final Pattern SUBSCRIPT =
            Pattern.compile("metadata\\.(labels|annotations)\\['([^']+)'\\]");
    private static final Set<String> RESOURCES =
            Set.of("limits.cpu", "limits.memory", "requests.cpu", "requests.memory");

    private final ConfigObjects configs;
    private final String namespace;
    private final String container;

    EnvReader(ConfigObjects configs, String namespace, String container) {
        this.configs = configs;
        this.namespace = namespace;
        this.container = container;
    }

    List<EnvSpec> read(Mapping fields) {
        var env = new ArrayList<EnvSpec>();
        fields.mappings("envFrom").forEach(source -> from(source, env));
        fields.mappings("env").forEach(variable -> variable(variable).ifPresent(env::add));
        return env;
    }

    private void from(Mapping source, List<EnvSpec> env) {
        var prefix = source.text("prefix").orElse("");
        var configMap = source.mapping("configMapRef");
        var secret = source.mapping("secretRef");
        if (configMap.isPresent() == secret.isPresent()) {
            source.problem("must have one of configMapRef and secretRef");
        }
        configMap.ifPresent(ref -> whole("ConfigMap", ref, prefix, env));
        secret.ifPresent(ref -> whole("Secret", ref, prefix, env));
        source.finish(KubernetesFields.ENV_FROM);
    }

    private void whole(String kind, Mapping ref, String prefix, List<EnvSpec> env) {
        var data = lookUp(kind, ref);
        ref.finish(KubernetesFields.OBJECT_REF);
        data.ifPresent(values ->
                values.forEach((key, bytes) ->
                        text(bytes, key, ref)
                                .ifPresent(t -> env.add(new EnvSpec.Verbatim(prefix + key, t)))));
    }

    private Optional<EnvSpec> variable(Mapping fields) {
        var name = fields.requireText("name");
        if (name.isPresent() && !Names.isVariable(name.get())) {
            fields.problem("a variable's name must be printable ASCII without =");
        }
        var value = fields.get("value");
        var source = fields.mapping("valueFrom");
        if (value.isPresent() && source.isPresent()) {
            fields.problem("must not have both value and valueFrom");
        }
        var spec =
                source.isPresent()
                        ? source(name.orElse(""), source.get())
                        : Optional.<EnvSpec>of(
                                new EnvSpec.Text(
                                        name.orElse(""), value.flatMap(Value::text).orElse("")));
        fields.finish(KubernetesFields.ENV);
        return spec;
    }

    private Optional<EnvSpec> source(String name, Mapping source) {
        var field = source.mapping("fieldRef");
        var resource = source.mapping("resourceFieldRef");
        var configMap = source.mapping("configMapKeyRef");
        var secret = source.mapping("secretKeyRef");
        source.finish(KubernetesFields.ENV_SOURCE);
        var given = new ArrayList<Optional<EnvSpec>>();
        field.ifPresent(ref -> given.add(field(name, ref)));
        resource.ifPresent(ref -> given.add(resource(name, ref)));
        configMap.ifPresent(ref -> given.add(key("ConfigMap", name, ref)));
        secret.ifPresent(ref -> given.add(key("Secret", name, ref)));
        if (given.size() != 1) {
            source.problem(
                    "must have one of fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef");
            return Optional.empty();
        }
        return given.getFirst();
    }

    private static Optional<EnvSpec> field(String name, Mapping ref) {
        ref.choice("apiVersion", Set.of("v1"));
        var value = ref.require("fieldPath");
        ref.finish(KubernetesFields.FIELD_REF);
        var path = value.flatMap(Value::text);
        if (value.isEmpty() || path.isEmpty()) {
            return Optional.empty();
        }
        if (path.get().equals("spec.serviceAccountName")) {
            return Optional.of(new EnvSpec.Verbatim(name, "default"));
        }
        if (!FIELDS.contains(path.get()) && !SUBSCRIPT.matcher(path.get()).matches()) {
            value.get()
                    .problem(
                            "no such field for a variable: "
                                    + path.get()
                                    + Suggestion.among(FIELDS, path.get()));
            return Optional.empty();
        }
        return Optional.of(new EnvSpec.Field(name, path.get()));
    }

    private Optional<EnvSpec> resource(String name, Mapping ref) {
        var of = ref.text("containerName").orElse(container);
        ref.require("resource");
        var resource = ref.choice("resource", RESOURCES);
        var divisor = divisor(ref, resource.orElse("").endsWith(".cpu"));
        ref.finish(KubernetesFields.RESOURCE_REF);
        return resource.map(text -> new EnvSpec.Resource(name, of, text, divisor));
    }

    private static long divisor(Mapping ref, boolean cpu) {
        var absent = cpu ? 1000L : 1L;
        var value = ref.get("divisor");
        if (value.isEmpty()) {
            return absent;
        }
        var quantity = value.get().literal().flatMap(Quantity::parse);
        var divisor = quantity.flatMap(q -> cpu ? q.thousandths() : q.whole());
        if (divisor.isEmpty() || divisor.get() < 0) {
            value.get().problem("must be a quantity such as " + (cpu ? "1 or 1m" : "1 or 1Mi"));
            return absent;
        }
        return divisor.get() == 0 ? absent : divisor.get();
    }

    private Optional<EnvSpec> key(String kind, String name, Mapping ref) {
        var key = ref.requireText("key");
        var optional = ref.flag("optional", false);
        var data = lookUp(kind, ref);
        ref.finish(KubernetesFields.KEY_REF);
        if (key.isEmpty() || data.isEmpty()) {
            return Optional.empty();
        }
        var bytes = Optional.ofNullable(data.get().get(key.get()));
        if (bytes.isEmpty() && !optional) {
            ref.problem(
                    "the %s has no key %s%s"
                            .formatted(
                                    kind,
                                    key.get(),
                                    Suggestion.among(data.get().keySet(), key.get())));
        }
        return bytes.flatMap(value -> text(value, key.get(), ref))
                .map(value -> new EnvSpec.Verbatim(name, value));
    }

    private Optional<Map<String, byte[]>> lookUp(String kind, Mapping ref) {
        var optional = ref.flag("optional", false);
        return ref.requireText("name")
                .map(name -> new ConfigObjects.Reference(kind, namespace, name, optional, ref))
                .flatMap(configs::find);
    }

    private static Optional<String> text(byte[] bytes, String key, Mapping ref) {
        try {
            var text = UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
            if (text.indexOf('\0') < 0) {
                return Optional.of(text);
            }
        } catch (CharacterCodingException _) {
            // told below, with texts that hold a zero byte
        }
        ref.problem("the value of key " + key + " is no text; mount it as a file");
        return Optional.empty();
    }
}
