package podvm.cli;

import java.util.List;

/**
 * An option of a command.
 *
 * @param names the long one last: by that it is asked for
 * @param value what its value is called in the help; empty: it takes none
 */
record Option(List<String> names, String value, String description) {
    static final Option HELP = flag("-h, --help", "show this help");
    static final Option HOST =
            value("--host", "unix://PATH", "the daemon's socket; also in PODVM_HOST");
    static final Option OUTPUT = value("-o, --output", "FORMAT", "table or json");

    static Option flag(String names, String description) {
        return new Option(List.of(names.split(", ")), "", description);
    }

    static Option value(String names, String value, String description) {
        return new Option(List.of(names.split(", ")), value, description);
    }

    String name() {
        return names.getLast();
    }

    boolean takesValue() {
        return !value.isEmpty();
    }
}
