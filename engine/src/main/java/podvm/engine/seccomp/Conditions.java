package podvm.engine.seccomp;

import static podvm.engine.seccomp.Instruction.AT_LEAST;
import static podvm.engine.seccomp.Instruction.EQUAL;
import static podvm.engine.seccomp.Instruction.GREATER;
import static podvm.engine.seccomp.Instruction.load;
import static podvm.engine.seccomp.Instruction.when;

import java.util.ArrayList;
import java.util.List;
import podvm.engine.seccomp.SeccompProfile.Condition;

/**
 * Comparisons of arguments. The machine has words of 32 bits, so that each half is loaded and
 * compared by itself; the high one comes second in memory, as guests are little-endian.
 */
final class Conditions {
    private static final int ARGUMENTS = 16;

    private Conditions() {}

    /** Ends with the verdict where all conditions hold, else goes on behind. */
    static List<Instruction> block(List<Condition> conditions, int verdict) {
        var block = new ArrayList<>(List.of(Instruction.end(verdict)));
        for (var condition : conditions.reversed()) {
            block.addAll(0, test(condition, block.size()));
        }
        return block;
    }

    /**
     * @param rest how many instructions follow that must not be reached when it does not hold
     */
    private static List<Instruction> test(Condition condition, int rest) {
        int low = ARGUMENTS + 8 * condition.argument();
        int high = low + 4;
        int highValue = (int) (condition.value() >>> 32);
        int lowValue = (int) condition.value();
        return switch (condition.comparison()) {
            case EQUAL ->
                    List.of(
                            load(high),
                            when(EQUAL, highValue, 0, rest + 2),
                            load(low),
                            when(EQUAL, lowValue, 0, rest));
            case NOT_EQUAL ->
                    List.of(
                            load(high),
                            when(EQUAL, highValue, 0, 2),
                            load(low),
                            when(EQUAL, lowValue, rest, 0));
            case GREATER -> above(high, low, highValue, when(GREATER, lowValue, 0, rest), rest);
            case GREATER_OR_EQUAL ->
                    above(high, low, highValue, when(AT_LEAST, lowValue, 0, rest), rest);
            case LESS -> below(high, low, highValue, when(AT_LEAST, lowValue, rest, 0), rest);
            case LESS_OR_EQUAL ->
                    below(high, low, highValue, when(GREATER, lowValue, rest, 0), rest);
            case MASKED_EQUAL -> {
                long wanted = condition.masked() & condition.value();
                yield List.of(
                        load(high),
                        Instruction.and(highValue),
                        when(EQUAL, (int) (wanted >>> 32), 0, rest + 3),
                        load(low),
                        Instruction.and(lowValue),
                        when(EQUAL, (int) wanted, 0, rest));
            }
        };
    }

    private static List<Instruction> above(
            int high, int low, int highValue, Instruction last, int rest) {
        return List.of(
                load(high),
                when(GREATER, highValue, 3, 0),
                when(EQUAL, highValue, 0, rest + 2),
                load(low),
                last);
    }

    private static List<Instruction> below(
            int high, int low, int highValue, Instruction last, int rest) {
        return List.of(
                load(high),
                when(GREATER, highValue, rest + 3, 0),
                when(EQUAL, highValue, 0, 2),
                load(low),
                last);
    }
}
