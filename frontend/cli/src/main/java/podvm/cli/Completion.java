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
          local word=${COMP_WORDS[COMP_CWORD]} words
          if [[ $COMP_CWORD == 1 ]]; then
            words="%s"
          elif [[ $word == -* ]]; then
            case ${COMP_WORDS[1]} in
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
                .formatted(names(), cases("      "));
    }

    private static String zsh() {
        return """
        #compdef podvm
        # load with: source <(podvm completion zsh)
        _podvm() {
          local word=${words[CURRENT]} options
          if (( CURRENT == 2 )); then
            compadd -- %s
          elif [[ $word == -* ]]; then
            case ${words[2]} in
        %s
            esac
            compadd -- ${=options}
          else
            _files
          fi
        }
        compdef _podvm podvm\
        """
                .formatted(names(), cases("      ").replace("words=", "options="));
    }

    private static String names() {
        return Commands.all().stream().map(Syntax::name).collect(Collectors.joining(" "));
    }

    private static String cases(String indent) {
        return Commands.all().stream()
                .map(s -> "%s%s) words=\"%s\" ;;".formatted(indent, s.name(), options(s)))
                .collect(Collectors.joining("\n"));
    }

    private static String options(Syntax syntax) {
        return syntax.allOptions().stream()
                .flatMap(option -> option.names().stream())
                .collect(Collectors.joining(" "));
    }

    private static String fish() {
        var text = new StringBuilder("# load with: podvm completion fish | source");
        for (var syntax : Commands.all()) {
            text.append(
                    "%ncomplete -c podvm -n __fish_use_subcommand -a %s -d '%s'"
                            .formatted(syntax.name(), syntax.summary()));
            for (var option : syntax.allOptions()) {
                text.append(
                        "%ncomplete -c podvm -n '__fish_seen_subcommand_from %s'"
                                .formatted(syntax.name()));
                for (var name : option.names()) {
                    text.append(name.startsWith("--") ? " -l " : " -s ");
                    text.append(name.replaceFirst("^-+", ""));
                }
                text.append(option.takesValue() ? " -r" : "");
                text.append(" -d '").append(option.description()).append("'");
            }
        }
        return text.toString();
    }
}
