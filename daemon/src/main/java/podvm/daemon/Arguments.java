package podvm.daemon;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/**
 * The command line of podvmd.
 *
 * @param overrides configuration keys given with --set
 */
record Arguments(Optional<Path> config, Map<String, String> overrides, boolean help) {
    static final String USAGE =
            """
            Usage: podvmd [--config FILE] [--private] [--set KEY=VALUE]...

              --config FILE    read the configuration from FILE
              --private        end after a minute without calls and pods, as the podvm command starts it
              --set KEY=VALUE  override one key of the configuration; may be repeated
              --help           show this

            docs/reference/configuration.md lists the keys.
            """;

    private static final String PRIVATE_IDLE_EXIT_MS = "60000";

    static Arguments parse(String... args) throws PodException {
        Optional<Path> config = Optional.empty();
        var overrides = new HashMap<String, String>();
        boolean help = false;
        for (int i = 0; i < args.length; i++) {
            switch (args[i]) {
                case "--help", "-h" -> help = true;
                case "--private" -> {
                    overrides.putIfAbsent("daemon.idle-exit-ms", PRIVATE_IDLE_EXIT_MS);
                    // a kubelet expects to find its runtime at any time
                    overrides.putIfAbsent("cri.socket", "none");
                }
                case "--config" -> config = Optional.of(Path.of(value(args, ++i)));
                case "--set" -> {
                    var pair = value(args, ++i).split("=", 2);
                    if (pair.length < 2) {
                        throw wrong("--set wants KEY=VALUE, not " + pair[0]);
                    }
                    overrides.put(pair[0], pair[1]);
                }
                default -> throw wrong("unknown argument " + args[i]);
            }
        }
        return new Arguments(config, overrides, help);
    }

    private static String value(String[] args, int at) throws PodException {
        if (at >= args.length) {
            throw wrong(args[at - 1] + " wants a value");
        }
        return args[at];
    }

    private static PodException wrong(String message) {
        return new PodException(Kind.INVALID, message, "podvmd --help shows the usage");
    }
}
