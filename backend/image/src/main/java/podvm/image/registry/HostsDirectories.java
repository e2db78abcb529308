package podvm.image.registry;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import podvm.engine.PodException;

/** Finds out which servers hold a registry's content. Files are read anew for each pull. */
record HostsDirectories(List<Path> roots) {
    private static final int LARGEST_FILE = 1 << 20;

    /** In the order in which they are asked. */
    List<RegistryHost> of(String registry) throws PodException {
        for (var name : names(registry)) {
            for (var root : roots) {
                var directory = root.resolve(name);
                if (Files.isDirectory(directory)) {
                    return read(directory, registry);
                }
            }
        }
        return List.of(RegistryHost.of(registry, TlsSettings.DEFAULT));
    }

    private static List<String> names(String registry) {
        int colon = registry.lastIndexOf(':');
        return colon < 0 || registry.endsWith("]")
                ? List.of(registry, "_default")
                : List.of(
                        registry.substring(0, colon) + "_" + registry.substring(colon + 1) + "_",
                        registry,
                        "_default");
    }

    private static List<RegistryHost> read(Path directory, String registry) throws PodException {
        var file = directory.resolve("hosts.toml");
        try (var in = Files.newInputStream(file)) {
            var text = new String(in.readNBytes(LARGEST_FILE), StandardCharsets.UTF_8);
            return new HostsFile(file, registry).parse(text);
        } catch (NoSuchFileException e) {
            return List.of(RegistryHost.of(registry, certificates(directory)));
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** The older form, Docker's: authorities in *.crt, identities in *.cert with *.key. */
    private static TlsSettings certificates(Path directory) throws PodException {
        var authorities = new ArrayList<Path>();
        var identities = new ArrayList<TlsSettings.Identity>();
        try (var files = Files.list(directory)) {
            for (var file : files.sorted().toList()) {
                var name = file.getFileName().toString();
                if (name.endsWith(".crt")) {
                    authorities.add(file);
                }
                keyOf(file, name)
                        .ifPresent(key -> identities.add(new TlsSettings.Identity(file, key)));
            }
        } catch (IOException e) {
            throw unreadable(directory, e);
        }
        return new TlsSettings(List.copyOf(authorities), List.copyOf(identities), false);
    }

    private static Optional<Path> keyOf(Path file, String name) {
        return name.endsWith(".cert")
                ? Optional.of(file.resolveSibling(name.replaceAll("\\.cert$", ".key")))
                : Optional.empty();
    }

    private static PodException unreadable(Path file, IOException e) {
        return new PodException(
                PodException.Kind.INVALID,
                "cannot read %s: %s".formatted(file, e),
                "let this user read it",
                e);
    }
}
