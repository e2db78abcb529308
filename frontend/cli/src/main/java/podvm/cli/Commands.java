package podvm.cli;

import java.util.List;
import java.util.Optional;

/** All commands, in the order of the help. */
final class Commands {
    private static final List<String> NAMES =
            List.of(
                    "run",
                    "ps",
                    "logs",
                    "exec",
                    "attach",
                    "stop",
                    "rm",
                    "wait",
                    "inspect",
                    "console",
                    "images",
                    "pull",
                    "image",
                    "doctor",
                    "version",
                    "completion");

    private Commands() {}

    /** Loads the one command that is asked for: each costs time to start. */
    static Optional<Command> find(String name) {
        return switch (name) {
            case "run" -> Optional.of(new Run());
            case "ps" -> Optional.of(new Ps());
            case "logs" -> Optional.of(new Logs());
            case "exec" -> Optional.of(new Exec());
            case "attach" -> Optional.of(new Attach());
            case "stop" -> Optional.of(new Stop());
            case "rm" -> Optional.of(new Rm());
            case "wait" -> Optional.of(new Wait());
            case "inspect" -> Optional.of(new Inspect());
            case "console" -> Optional.of(new Console());
            case "images" -> Optional.of(new Images());
            case "pull" -> Optional.of(new Pull());
            case "image" -> Optional.of(new ImageImport());
            case "doctor" -> Optional.of(new Doctor());
            case "version" -> Optional.of(new Version());
            case "completion" -> Optional.of(new Completion());
            default -> Optional.empty();
        };
    }

    static List<Syntax> all() {
        return NAMES.stream().flatMap(name -> find(name).stream()).map(Command::syntax).toList();
    }
}
