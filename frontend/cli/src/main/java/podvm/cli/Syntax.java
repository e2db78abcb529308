package podvm.cli;

import java.util.ArrayList;
import java.util.List;

/**
 * What a command line may look like.
 *
 * @param operands as the help shows them
 * @param verbatimAfter from this operand on all is taken as it stands, options too; -1: never
 */
record Syntax(
        String name,
        String operands,
        String summary,
        int least,
        int most,
        int verbatimAfter,
        List<Option> options) {
    static Syntax of(
            String name, String operands, String summary, int least, int most, Option... options) {
        return new Syntax(name, operands, summary, least, most, -1, List.of(options));
    }

    Syntax verbatimAfter(int operand) {
        return new Syntax(name, operands, summary, least, most, operand, options);
    }

    /** With those that every command has. */
    List<Option> allOptions() {
        var all = new ArrayList<>(options);
        all.add(Option.HOST);
        all.add(Option.HELP);
        return all;
    }

    String usage() {
        return ("podvm " + name + " [options] " + operands).strip();
    }
}
