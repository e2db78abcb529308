package podvm.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A network that both runtimes look after; no pod of a benchmark is in it. */
final class CniConfiguration {
    private CniConfiguration() {}

    /** The directory. */
    static Path write(Path directory) throws IOException {
        Files.createDirectories(directory);
        Files.writeString(
                directory.resolve("10-bench.conflist"),
                """
                {"cniVersion": "1.1.0", "name": "bench", "plugins": [
                  {"type": "bridge", "bridge": "podvm-bench0", "isGateway": true,
                   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.91.0.0/16"}]]}},
                  {"type": "portmap", "capabilities": {"portMappings": true}}]}
                """);
        return directory;
    }
}
