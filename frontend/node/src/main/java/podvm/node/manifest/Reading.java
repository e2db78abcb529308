package podvm.node.manifest;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.Node;

/** One manifest being read; gathers what is wrong so that all is told at once. */
final class Reading {
    /** More help nobody: what follows is usually of one cause. */
    private static final int MOST_PROBLEMS = 100;

    /**
     * Aliases let a small text stand for a huge one, so what is walked is counted, not its bytes.
     */
    private static final int MOST_VALUES = 1_000_000;

    private final List<Problem> problems = new ArrayList<>();
    private int values;

    void problem(Node at, String field, String message) {
        problem(at.getStartMark(), field, message);
    }

    void problem(Optional<Mark> at, String field, String message) {
        if (problems.size() < MOST_PROBLEMS) {
            problems.add(new Problem(line(at), column(at), field, message));
        }
    }

    void visit() {
        if (++values > MOST_VALUES) {
            throw new YamlEngineException(
                    "it has more than " + MOST_VALUES + " values once its aliases are followed");
        }
    }

    List<Problem> problems() {
        return problems.stream()
                .distinct()
                .sorted(Comparator.comparingInt(Problem::line).thenComparingInt(Problem::column))
                .toList();
    }

    static int line(Optional<Mark> mark) {
        return mark.map(Mark::getLine).orElse(0) + 1;
    }

    static int column(Optional<Mark> mark) {
        return mark.map(Mark::getColumn).orElse(0) + 1;
    }
}
