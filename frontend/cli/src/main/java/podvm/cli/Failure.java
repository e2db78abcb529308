package podvm.cli;

/** Why the command cannot go on: what failed, on which thing, and what to do next. */
final class Failure extends Exception {
    /** The command line is wrong. */
    static final int USAGE = 2;

    /** PodVM itself failed, as opposed to the program that it ran. */
    static final int PODVM = 125;

    private final String remedy;
    private final int exitCode;

    private Failure(int exitCode, String message, String remedy) {
        super(message);
        this.remedy = remedy;
        this.exitCode = exitCode;
    }

    static Failure of(String message, String remedy) {
        return new Failure(PODVM, message, remedy);
    }

    static Failure usage(String message, String remedy) {
        return new Failure(USAGE, message, remedy);
    }

    int exitCode() {
        return exitCode;
    }

    /** As it stands on standard error, without the last newline. */
    String text() {
        var text = "podvm: " + getMessage();
        return remedy.isEmpty() ? text : text + "\n  " + remedy;
    }
}
