package podvm.cli;

import java.io.IOException;
import java.util.List;
import java.util.stream.Collectors;

/** Prints what makes a shell complete podvm's command lines. */
final class Completion implements Command {
    private static final List<String> SHELLS = List.of("bash", "zsh", "fish");

    @Override
    public Syntax syntax() {
        return Syntax.of(
                "completion", "bash|zsh|fish", "print a completion script for a shell", 1, 1);
    }

    @Override
    public int run(Given given, Session session) throws Failure, IOException {
        var shell = given.operands().getFirst();
        if (!SHELLS.contains(shell)) {
            throw Failure.usage("no completion for " + shell, "there is bash, zsh and fish");
        }
        session.stdio().print(shell.equals("fish") ? fish() : shell.equals("zsh") ? zsh() : bash());
        return 0;
    }

    private static String bash() {
        return """
        # load with: source <(podvm completion bash)
        _podvm() {
          local word=${COMP_WORDS[COMP_CWORD]} words command=${COMP_WORDS[1]}
          if [[ $COMP_CWORD == 1 ]]; then
            words="%s"
          elif [[ $COMP_CWORD == 2 && $command == @(%s) ]]; then
            case $command in
        %s
            esac
          elif [[ $word == -* ]]; then
            if [[ $command == @(%s) ]]; then
              command="$command ${COMP_WORDS[2]}"
            fi
            case $command in
        %s
            esac
          else
            compopt -o default
            return
          fi
          COMPREPLY=($(compgen -W "$words" -- "$word"))
        }
        complete -F _podvm podvm\
        """
                .formatted(names(), groups(), groupCases("      "), groups(), cases("      "));
    }

    private static String zsh() {
        return """
        #compdef podvm
        # load with: source <(podvm completion zsh)
        _podvm() {
          local word=${words[CURRENT]} options command=${words[2]}
          if (( CURRENT == 2 )); then
            compadd -- %s
          elif (( CURRENT == 3 )) && [[ $command == (%s) ]]; then
            case $command in
        %s
            esac
            compadd -- ${=options}
          elif [[ $word == -* ]]; then
            if [[ $command == (%s) ]]; then
              command="$command ${words[3]}"
            fi
            case $command in
        %s
            esac
            compadd -- ${=options}
          else
            _files
          fi
        }
        compdef _podvm podvm\
        """
                .formatted(
                        names(),
                        groups(),
                        groupCases("      ").replace("words=", "options="),
                        groups(),
                        cases("      ").replace("words=", "options="));
    }

    /** First words. */
    private static String names() {
        return Commands.all().stream()
                .map(syntax -> syntax.name().split(" ")[0])
                .distinct()
                .collect(Collectors.joining(" "));
    }

    /** First words that others follow, as a pattern of bash and zsh. */
    private static String groups() {
        return String.join("|", Commands.GROUPS);
    }

    private static String groupCases(String indent) {
        return Commands.GROUPS.stream()
                .map(group -> "%s%s) words=\"%s\" ;;".formatted(indent, group, namesAfter(group)))
                .collect(Collectors.joining("\n"));
    }

    /** Second words. */
    private static String namesAfter(String first) {
        return Commands.all().stream()
                .map(Syntax::name)
                .filter(name -> name.startsWith(first + " "))
                .map(name -> name.substring(first.length() + 1))
                .collect(Collectors.joining(" "));
    }

    private static String cases(String indent) {
        return Commands.all().stream()
                .map(s -> "%s'%s') words=\"%s\" ;;".formatted(indent, s.name(), options(s)))
                .collect(Collectors.joining("\n"));
    }

    private static String options(Syntax syntax) {
        return syntax.allOptions().stream()
                .flatMap(option -> option.names().stream())
                .collect(Collectors.joining(" "));
    }

    private static String fish() {
        var text = new StringBuilder("# load with: podvm completion fish | source");
        for (var group : Commands.GROUPS) {
            text.append(
                    "%ncomplete -c podvm -n __fish_use_subcommand -a %s -d '%ss'"
                            .formatted(group, group));
        }
        for (var syntax : Commands.all()) {
            var words = syntax.name().split(" ");
            var place =
                    words.length == 1
                            ? "__fish_use_subcommand"
                            : "'__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from %s'"
                                    .formatted(words[0], namesAfter(words[0]));
            text.append(
                    "%ncomplete -c podvm -n %s -a %s -d '%s'"
                            .formatted(place, words[words.length - 1], quoted(syntax.summary())));
            var seen =
                    words.length == 1
                            ? "__fish_seen_subcommand_from " + words[0]
                            : "__fish_seen_subcommand_from %s; and __fish_seen_subcommand_from %s"
                                    .formatted(words[0], words[1]);
            for (var option : syntax.allOptions()) {
                text.append("%ncomplete -c podvm -n '%s'".formatted(seen));
                for (var name : option.names()) {
                    text.append(name.startsWith("--") ? " -l " : " -s ");
                    text.append(name.replaceFirst("^-+", ""));
                }
                text.append(option.takesValue() ? " -r" : "");
                text.append(" -d '").append(quoted(option.description())).append("'");
            }
        }
        return text.toString();
    }

    private static String quoted(String text) {
        return text.replace("'", "\\'");
    }
}
