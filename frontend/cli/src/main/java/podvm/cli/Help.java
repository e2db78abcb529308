package podvm.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** What --help says. */
final class Help {
    private static final String EXIT_CODES =
            """
            Exit codes:
              0     all is well
              N     run, exec, attach, wait: the code of the pod or the command
              1     doctor: something is missing; image verify: something is damaged
              2     the command line is wrong
              125   podvm itself failed; standard error says what and what to do
              126   the command could not be executed
              127   the command was not found
              130   ended by Ctrl-C\
            """;

    private Help() {}

    static int show(List<String> arguments, Stdio stdio) throws IOException, Failure {
        if (arguments.size() < 2) {
            stdio.print(overview());
            return arguments.isEmpty() ? Failure.USAGE : 0;
        }
        var words = new ArrayList<>(arguments.subList(1, arguments.size()));
        var name = Commands.takeName(words);
        if (Commands.isGroup(name)) {
            stdio.print(ofGroup(name));
            return 0;
        }
        var command = Commands.find(name);
        if (command.isEmpty()) {
            throw Failure.usage("there is no command podvm " + name, "podvm --help shows them all");
        }
        stdio.print(of(command.get().syntax()));
        return 0;
    }

    private static String overview() {
        var text = new StringBuilder("podvm runs Kubernetes pods, each in its own micro-VM.\n\n");
        text.append("Usage: podvm [--host unix://PATH] COMMAND\n\nCommands:\n");
        text.append(list(""));
        text.append("\npodvm COMMAND --help tells more of one. Where no daemon runs, podvm starts");
        return text.append(" its own.\n\n").append(EXIT_CODES).toString();
    }

    /** The commands that begin with a word. */
    static String ofGroup(String word) {
        return "Usage: podvm "
                + word
                + " COMMAND\n\nCommands:\n"
                + list(word + " ")
                + "\npodvm "
                + word
                + " COMMAND --help tells more of one.";
    }

    private static String list(String beginning) {
        var text = new StringBuilder();
        for (var syntax : Commands.all()) {
            if (syntax.name().startsWith(beginning)) {
                text.append("  %-15s%s%n".formatted(syntax.name(), syntax.summary()));
            }
        }
        return text.toString();
    }

    static String of(Syntax syntax) {
        var text = new StringBuilder("Usage: " + syntax.usage() + "\n\n");
        text.append("podvm ").append(syntax.name()).append(": ").append(syntax.summary());
        text.append("\n\nOptions:");
        for (var option : syntax.allOptions()) {
            var names = String.join(", ", option.names());
            var left = names.startsWith("--") ? "    " + names : names;
            var value = option.takesValue() ? " " + option.value() : "";
            text.append("%n  %-28s%s".formatted(left + value, option.description()));
        }
        return text.toString();
    }
}
