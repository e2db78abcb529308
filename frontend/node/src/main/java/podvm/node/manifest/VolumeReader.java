package podvm.node.manifest;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import podvm.engine.Agent.VolumeFile;
import podvm.engine.ContainerSpec;
import podvm.engine.HugepageSizes;
import podvm.engine.VolumeSpec;

/** A pod's volumes by name. */
final class VolumeReader {
    private static final int DEFAULT_MODE = 0644;
    private static final String HUGEPAGES = "HugePages";
    private static final Map<String, Long> PAGES =
            Map.of(HUGEPAGES + "-2Mi", 2L << 20, HUGEPAGES + "-1Gi", 1L << 30);
    private static final List<String> MEDIA =
            List.of("", "Memory", HUGEPAGES, HUGEPAGES + "-2Mi", HUGEPAGES + "-1Gi");

    /** The pod's containers say which. */
    private static final long ONLY_SIZE = 0;

    private final ConfigObjects configs;
    private final String namespace;

    VolumeReader(ConfigObjects configs, String namespace) {
        this.configs = configs;
        this.namespace = namespace;
    }

    Map<String, VolumeSpec> read(Mapping spec) {
        var volumes = new LinkedHashMap<String, VolumeSpec>();
        var lines = new LinkedHashMap<String, Integer>();
        for (var fields : spec.mappings("volumes")) {
            var name = fields.requireText("name");
            var volume = volume(fields);
            if (name.isEmpty()) {
                continue;
            }
            if (!Names.isLabel(name.get())) {
                fields.problem("a volume's name must be " + Names.LABEL_FORM);
            }
            var first = lines.putIfAbsent(name.get(), fields.line());
            if (first != null) {
                fields.problem(
                        "there are two volumes named %s, the first in line %d"
                                .formatted(name.get(), first));
            }
            // what is refused above still exists for the mounts that name it
            volumes.putIfAbsent(name.get(), volume.orElse(new VolumeSpec.EmptyDir()));
        }
        return volumes;
    }

    /** Volumes of large pages whose size only the containers tell get it now. */
    static Map<String, VolumeSpec> sized(
            Map<String, VolumeSpec> volumes, List<ContainerSpec> containers, Mapping spec) {
        var sizes = new TreeSet<String>();
        containers.forEach(one -> sizes.addAll(one.resources().hugepages().keySet()));
        var sized = new LinkedHashMap<>(volumes);
        for (var volume : volumes.entrySet()) {
            if (volume.getValue().equals(new VolumeSpec.Hugepages(ONLY_SIZE))) {
                if (sizes.size() == 1) {
                    var bytes = HugepageSizes.bytes(sizes.first()).orElseThrow();
                    sized.put(volume.getKey(), new VolumeSpec.Hugepages(bytes));
                } else {
                    spec.problem(
                            "volume %s has medium HugePages: containers need to ask for pages of one"
                                            .formatted(volume.getKey())
                                    + " size, or medium to name it, as HugePages-2Mi does");
                }
            }
        }
        return sized;
    }

    private Optional<VolumeSpec> volume(Mapping fields) {
        var emptyDir = fields.mapping("emptyDir");
        var configMap = fields.mapping("configMap");
        var secret = fields.mapping("secret");
        var given = new ArrayList<VolumeSpec>();
        emptyDir.ifPresent(source -> given.add(emptyDir(source)));
        configMap.ifPresent(source -> given.add(configMap(source)));
        secret.ifPresent(source -> given.add(secret(source)));
        if (given.size() > 1) {
            fields.problem("must have one source, not " + given.size());
        } else if (given.isEmpty() && !fields.hasUnread()) {
            fields.problem("needs a source: emptyDir, configMap or secret");
        } else {
            fields.finish(KubernetesFields.VOLUME);
        }
        return given.stream().findFirst();
    }

    private static VolumeSpec emptyDir(Mapping source) {
        var medium = source.choice("medium", MEDIA).orElse("");
        var memory = medium.equals("Memory");
        var limit = source.get("sizeLimit");
        source.finish(KubernetesFields.EMPTY_DIR);
        if (medium.startsWith(HUGEPAGES)) {
            limit.ifPresent(value ->
                    value.problem("not honoured by podvm run: the containers' hugepages are it"));
            return new VolumeSpec.Hugepages(PAGES.getOrDefault(medium, ONLY_SIZE));
        }
        if (!memory) {
            limit.ifPresent(value ->
                    value.problem(
                            "not honoured by podvm run: a directory on disk has no limit of"
                                    + " its own; remove it or use medium: Memory"));
            return new VolumeSpec.EmptyDir();
        }
        return new VolumeSpec.Memory(limit.flatMap(VolumeReader::bytes).orElse(0L));
    }

    private static Optional<Long> bytes(Value value) {
        var text = value.literal();
        var bytes = text.flatMap(Quantity::parse).flatMap(Quantity::whole).filter(n -> n >= 0);
        if (text.isPresent() && bytes.isEmpty()) {
            value.problem("must be a whole number of bytes such as 64Mi, not " + text.get());
        }
        return bytes;
    }

    private VolumeSpec configMap(Mapping source) {
        var files = files("ConfigMap", "name", source);
        source.finish(KubernetesFields.CONFIG_MAP_VOLUME);
        return files;
    }

    private VolumeSpec secret(Mapping source) {
        var files = files("Secret", "secretName", source);
        source.finish(KubernetesFields.SECRET_VOLUME);
        return files;
    }

    private VolumeSpec files(String kind, String nameField, Mapping source) {
        var optional = source.flag("optional", false);
        var mode = source.get("defaultMode").flatMap(Value::mode).orElse(DEFAULT_MODE);
        var items = source.get("items").map(Value::mappings);
        var data =
                source.requireText(nameField)
                        .map(name ->
                                new ConfigObjects.Reference(
                                        kind, namespace, name, optional, source))
                        .flatMap(configs::find);
        if (items.isEmpty()) {
            return new VolumeSpec.Files(whole(data.orElse(Map.of()), mode));
        }
        return new VolumeSpec.Files(chosen(kind, items.get(), data, mode, optional));
    }

    private static List<VolumeFile> whole(Map<String, byte[]> data, int mode) {
        return data.entrySet().stream().map(e -> file(e.getKey(), e.getValue(), mode)).toList();
    }

    private static List<VolumeFile> chosen(
            String kind,
            List<Mapping> items,
            Optional<Map<String, byte[]>> data,
            int mode,
            boolean optional) {
        var files = new LinkedHashMap<String, VolumeFile>();
        for (var item : items) {
            var key = item.requireText("key").orElse("");
            var path = item.requireText("path").orElse("");
            var own = item.get("mode").flatMap(Value::mode).orElse(mode);
            item.finish(KubernetesFields.KEY_TO_PATH);
            if (!MountPath.isInside(path)) {
                item.problem("path must be relative and without .., not " + path);
            } else if (files.containsKey(path)) {
                item.problem("two items have the path " + path);
            }
            if (data.isEmpty()) {
                continue;
            }
            var bytes = data.get().get(key);
            if (bytes != null) {
                files.put(path, file(path, bytes, own));
            } else if (!optional) {
                item.problem(
                        "the %s has no key %s%s"
                                .formatted(kind, key, Suggestion.among(data.get().keySet(), key)));
            }
        }
        return List.copyOf(files.values());
    }

    private static VolumeFile file(String path, byte[] bytes, int mode) {
        return new VolumeFile(path, bytes, mode, 0, 0);
    }
}
