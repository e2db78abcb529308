package podvm.node.manifest;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** The ConfigMaps and Secrets that a manifest's pods can refer to. */
final class ConfigObjects {
    private record Key(String kind, String namespace, String name) {}

    private record Entry(ConfigObject object, int line) {}

    private final Map<Key, Entry> entries = new HashMap<>();

    void add(String kind, ConfigObject object, Mapping at) {
        var metadata = object.metadata();
        var key = new Key(kind, metadata.namespace(), metadata.name());
        var first = entries.putIfAbsent(key, new Entry(object, at.line()));
        if (first != null) {
            at.problem(
                    "%s %s/%s is there twice, first in line %d"
                            .formatted(kind, key.namespace(), key.name(), first.line()));
        }
    }

    /**
     * The data behind a reference. A missing object is a problem of the referring field unless that
     * says optional.
     */
    Optional<Map<String, byte[]>> find(Reference reference) {
        var entry =
                Optional.ofNullable(
                        entries.get(
                                new Key(
                                        reference.kind(),
                                        reference.namespace(),
                                        reference.name())));
        if (entry.isEmpty() && !reference.optional()) {
            reference
                    .at()
                    .problem(
                            "there is no %s %s in namespace %s of this manifest; add it"
                                    .formatted(
                                            reference.kind(),
                                            reference.name(),
                                            reference.namespace()));
        }
        return entry.map(found -> found.object().data());
    }

    /** A field that names a ConfigMap or Secret. */
    record Reference(String kind, String namespace, String name, boolean optional, Mapping at) {}
}
