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
                    "port-forward",
                    "stop",
                    "rm",
                    "wait",
                    "inspect",
                    "console",
                    "stats",
                    "events",
                    "top",
                    "cp",
                    "images",
                    "pull",
                    "image ls",
                    "image inspect",
                    "image history",
                    "image tag",
                    "image rm",
                    "image prune",
                    "image verify",
                    "image import",
                    "image export",
                    "template ls",
                    "template build",
                    "template prune",
                    "doctor",
                    "version",
                    "completion");

    /** First words of commands of two. */
    static final List<String> GROUPS = List.of("image", "template");

    private Commands() {}

    /** Loads the one command that is asked for: each costs time to start. */
    static Optional<Command> find(String name) {
        return switch (name) {
            case "run" -> Optional.of(new Run());
            case "ps" -> Optional.of(new Ps());
            case "logs" -> Optional.of(new Logs());
            case "exec" -> Optional.of(new Exec());
            case "attach" -> Optional.of(new Attach());
            case "port-forward" -> Optional.of(new PortForward());
            case "stop" -> Optional.of(new Stop());
            case "rm" -> Optional.of(new Rm());
            case "wait" -> Optional.of(new Wait());
            case "inspect" -> Optional.of(new Inspect());
            case "console" -> Optional.of(new Console());
            case "stats" -> Optional.of(new Stats());
            case "events" -> Optional.of(new Events());
            case "top" -> Optional.of(new Top());
            case "cp" -> Optional.of(new Cp());
            case "images", "image ls" -> Optional.of(new ImageLs(name));
            case "pull" -> Optional.of(new Pull());
            case "image inspect" -> Optional.of(new ImageInspect());
            case "image history" -> Optional.of(new ImageHistory());
            case "image tag" -> Optional.of(new ImageTag());
            case "image rm" -> Optional.of(new ImageRm());
            case "image prune" -> Optional.of(new ImagePrune());
            case "image verify" -> Optional.of(new ImageVerify());
            case "image import" -> Optional.of(new ImageImport());
            case "image export" -> Optional.of(new ImageExport());
            case "template ls" -> Optional.of(new TemplateLs());
            case "template build" -> Optional.of(new TemplateBuild());
            case "template prune" -> Optional.of(new TemplatePrune());
            case "doctor" -> Optional.of(new Doctor());
            case "version" -> Optional.of(new Version());
            case "completion" -> Optional.of(new Completion());
            default -> Optional.empty();
        };
    }

    /** Whether commands of two words begin with it. */
    static boolean isGroup(String word) {
        return GROUPS.contains(word);
    }

    /** Takes a command's name, one word or two, from the beginning of a command line. */
    static String takeName(List<String> line) {
        var name = line.removeFirst();
        return isGroup(name) && !line.isEmpty() && !line.getFirst().startsWith("-")
                ? name + " " + line.removeFirst()
                : name;
    }

    static List<Syntax> all() {
        return NAMES.stream().flatMap(name -> find(name).stream()).map(Command::syntax).toList();
    }
}
