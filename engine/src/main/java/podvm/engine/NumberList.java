package podvm.engine;

import java.util.Collection;
import java.util.List;
import java.util.StringJoiner;
import java.util.TreeSet;
import podvm.engine.PodException.Kind;

/** Numbers of CPUs or of memory nodes, ascending, written as the kernel does: "0-2,5". */
public record NumberList(List<Integer> numbers) {
    public static final NumberList NONE = new NumberList(List.of());

    /** More than Linux can have of either; bounds what a short text may stand for. */
    private static final int MOST = 8192;

    public NumberList {
        numbers = List.copyOf(new TreeSet<>(numbers));
    }

    /**
     * @param what for messages: "cpuset_cpus"
     */
    public static NumberList parse(String what, String text) throws PodException {
        if (text.isBlank()) {
            return NONE;
        }
        var all = new TreeSet<Integer>();
        for (var range : text.strip().split(",", -1)) {
            if (!range.strip().matches("\\d{1,4}(-\\d{1,4})?")) {
                throw wrong(what, text);
            }
            var ends = range.strip().split("-", -1);
            int first = Integer.parseInt(ends[0]);
            int last = Integer.parseInt(ends[ends.length - 1]);
            if (last < first || last >= MOST) {
                throw wrong(what, text);
            }
            for (int number = first; number <= last; number++) {
                all.add(number);
            }
        }
        return new NumberList(List.copyOf(all));
    }

    private static PodException wrong(String what, String text) {
        return new PodException(
                Kind.INVALID, what + " is no list of numbers: " + text, "write it like 0-2,5");
    }

    public boolean isEmpty() {
        return numbers.isEmpty();
    }

    public NumberList and(NumberList others) {
        var all = new TreeSet<>(numbers);
        all.addAll(others.numbers);
        return new NumberList(List.copyOf(all));
    }

    public NumberList without(Collection<Integer> others) {
        return new NumberList(numbers.stream().filter(one -> !others.contains(one)).toList());
    }

    /** Those that both have. */
    public NumberList within(NumberList others) {
        return new NumberList(numbers.stream().filter(others.numbers::contains).toList());
    }

    @Override
    public String toString() {
        var text = new StringJoiner(",");
        for (int at = 0; at < numbers.size(); at++) {
            int first = numbers.get(at);
            while (at + 1 < numbers.size() && numbers.get(at + 1) == numbers.get(at) + 1) {
                at++;
            }
            int last = numbers.get(at);
            text.add(first == last ? "" + first : first + "-" + last);
        }
        return text.toString();
    }
}
