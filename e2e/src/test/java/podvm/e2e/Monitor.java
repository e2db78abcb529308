package podvm.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Asks a pod's QEMU, on the monitor that the daemon does not keep open. */
record Monitor(Path socket) {
    private static final JsonMapper JSON = new JsonMapper();

    static Monitor of(Node node, String pod) {
        return new Monitor(node.run().resolve("pods").resolve(pod).resolve("fd.sock"));
    }

    /** What the guest's driver and its first network device have agreed upon. */
    Set<String> virtioNetFeatures() throws IOException {
        for (var device : ask("x-query-virtio", "{}")) {
            if (device.path("name").asString("").equals("virtio-net")) {
                var path = JSON.writeValueAsString(device.path("path").asString(""));
                var status = ask("x-query-virtio-status", "{\"path\": " + path + "}");
                var names = new TreeSet<String>();
                for (var feature : status.path("guest-features").path("dev-features")) {
                    names.add(feature.asString("").split(":")[0]);
                }
                return names;
            }
        }
        throw new IOException("no network device at " + socket);
    }

    private JsonNode ask(String command, String arguments) throws IOException {
        try (var channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
            var answers = new BufferedReader(Channels.newReader(channel, UTF_8));
            var calls = Channels.newWriter(channel, UTF_8);
            answers.readLine(); // the greeting
            for (var call :
                    new String[] {
                        "{\"execute\": \"qmp_capabilities\"}",
                        "{\"execute\": \"%s\", \"arguments\": %s}".formatted(command, arguments)
                    }) {
                calls.write(call + "\n");
                calls.flush();
                var answer = JSON.readTree(answers.readLine());
                if (answer.has("error")) {
                    throw new IOException(call + ": " + answer);
                }
                if (call.contains(command)) {
                    return answer.path("return");
                }
            }
            throw new IOException("no answer to " + command);
        }
    }
}
