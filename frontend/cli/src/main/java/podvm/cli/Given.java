package podvm.cli;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A command line, taken apart as its command's syntax says. */
final class Given {
    private final Syntax syntax;
    private final Map<String, List<String>> options = new HashMap<>();
    private final List<String> operands = new ArrayList<>();

    private Given(Syntax syntax) {
        this.syntax = syntax;
    }

    static Given parse(Syntax syntax, List<String> arguments) throws Failure {
        var given = new Given(syntax);
        var at = 0;
        while (at < arguments.size()) {
            var argument = arguments.get(at);
            if (argument.equals("--")) {
                given.operands.addAll(arguments.subList(at + 1, arguments.size()));
                break;
            }
            if (given.operands.size() == syntax.verbatimAfter()) {
                given.operands.addAll(arguments.subList(at, arguments.size()));
                break;
            }
            if (argument.startsWith("--")) {
                at = given.longOption(arguments, at);
            } else if (argument.startsWith("-") && argument.length() > 1) {
                at = given.shortOptions(arguments, at);
            } else {
                given.operands.add(argument);
                at++;
            }
        }
        if (!given.has("--help")) {
            given.checkOperands();
        }
        return given;
    }

    private int longOption(List<String> arguments, int at) throws Failure {
        var argument = arguments.get(at);
        var equals = argument.indexOf('=');
        var option = find(equals < 0 ? argument : argument.substring(0, equals));
        if (!option.takesValue()) {
            if (equals >= 0) {
                throw wrong("option " + option.name() + " takes no value");
            }
            add(option, "");
            return at + 1;
        }
        if (equals >= 0) {
            add(option, argument.substring(equals + 1));
            return at + 1;
        }
        return following(option, arguments, at);
    }

    /** -it is -i and -t; -c web and -cweb are the same. */
    private int shortOptions(List<String> arguments, int at) throws Failure {
        var letters = arguments.get(at);
        for (var i = 1; i < letters.length(); i++) {
            var option = find("-" + letters.charAt(i));
            if (option.takesValue()) {
                if (i + 1 < letters.length()) {
                    add(option, letters.substring(i + 1));
                    return at + 1;
                }
                return following(option, arguments, at);
            }
            add(option, "");
        }
        return at + 1;
    }

    private int following(Option option, List<String> arguments, int at) throws Failure {
        if (at + 1 == arguments.size()) {
            throw wrong("option " + option.name() + " needs a value: " + option.value());
        }
        add(option, arguments.get(at + 1));
        return at + 2;
    }

    private void add(Option option, String value) {
        options.computeIfAbsent(option.name(), _ -> new ArrayList<>()).add(value);
    }

    private Option find(String name) throws Failure {
        for (var option : syntax.allOptions()) {
            if (option.names().contains(name)) {
                return option;
            }
        }
        throw wrong("podvm " + syntax.name() + " has no option " + name);
    }

    private void checkOperands() throws Failure {
        if (operands.size() < syntax.least()) {
            throw wrong("podvm " + syntax.name() + " needs " + syntax.operands());
        }
        if (operands.size() > syntax.most()) {
            throw wrong("podvm " + syntax.name() + " does not take " + operands.get(syntax.most()));
        }
    }

    private Failure wrong(String message) {
        return Failure.usage(message, "usage: " + syntax.usage());
    }

    boolean has(String option) {
        return options.containsKey(option);
    }

    /** The last one given. */
    Optional<String> value(String option) {
        return Optional.ofNullable(options.get(option)).map(List::getLast);
    }

    List<String> values(String option) {
        return options.getOrDefault(option, List.of());
    }

    Optional<Integer> number(String option) throws Failure {
        var text = value(option);
        if (text.isPresent() && !text.get().matches("[0-9]{1,9}")) {
            throw wrong("option " + option + " needs a number, not " + text.get());
        }
        return text.map(Integer::parseInt);
    }

    /** Whether --output asks for JSON. */
    boolean json() throws Failure {
        var format = value("--output").orElse("table");
        if (!format.equals("json") && !format.equals("table")) {
            throw wrong("option --output is table or json, not " + format);
        }
        return format.equals("json");
    }

    List<String> operands() {
        return operands;
    }
}
