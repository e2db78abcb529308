package podvm.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Where the podvm command begins. */
public final class Main {
    private Main() {}

    public static void main(String[] arguments) {
        var code = run(List.of(arguments), Stdio.ofProcess());
        // System.exit first looks for loggers, which costs a tenth of a short command; threads that
        // still wait for standard input are daemons and hold nothing
        if (code != 0) {
            System.exit(code);
        }
    }

    static int run(List<String> arguments, Stdio stdio) {
        try {
            var code = dispatch(arguments, stdio);
            stdio.flush();
            return code;
        } catch (Failure e) {
            stdio.tell(e.text());
            return e.exitCode();
        } catch (IOException e) {
            return brokenStream(e, stdio);
        } catch (InterruptedException _) {
            return 130;
        }
    }

    /** A reader that has had enough, as in podvm logs | head, is no error worth a word. */
    private static int brokenStream(IOException failure, Stdio stdio) {
        var message = String.valueOf(failure.getMessage());
        if (message.contains("Broken pipe")) {
            return 141;
        }
        stdio.tell("podvm: standard input or output failed: " + message);
        return Failure.PODVM;
    }

    private static int dispatch(List<String> arguments, Stdio stdio)
            throws Failure, IOException, InterruptedException {
        var rest = new ArrayList<>(arguments);
        var host = leadingHost(rest);
        if (rest.isEmpty() || List.of("-h", "--help", "help").contains(rest.getFirst())) {
            return Help.show(rest, stdio);
        }
        var name = Commands.takeName(rest);
        if (name.equals("--version")) {
            name = "version";
        }
        if (Commands.isGroup(name)) {
            stdio.print(Help.ofGroup(name));
            return rest.isEmpty() ? Failure.USAGE : 0;
        }
        var command = Commands.find(name);
        if (command.isEmpty()) {
            throw Failure.usage("there is no command podvm " + name, "podvm --help shows them all");
        }
        var given = Given.parse(command.get().syntax(), rest);
        if (given.has("--help")) {
            stdio.print(Help.of(command.get().syntax()));
            return 0;
        }
        var place = Place.find(given.value("--host").orElse(host), stdio.env());
        return command.get().run(given, new Session(stdio, new Node(place)));
    }

    /** podvm --host X ps is podvm ps --host X; empty where it is not said. */
    private static String leadingHost(List<String> arguments) {
        if (!arguments.isEmpty() && arguments.getFirst().startsWith("--host=")) {
            return arguments.removeFirst().substring("--host=".length());
        }
        if (arguments.size() > 1 && arguments.getFirst().equals("--host")) {
            arguments.removeFirst();
            return arguments.removeFirst();
        }
        return "";
    }
}
