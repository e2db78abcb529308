package podvm.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;

/**
 * Measurements of two sides that took turns. The machine's speed drifts, so only the ratio within a
 * pair means something; its median is the result.
 */
record Pairs(List<Double> subject, List<Double> control) {
    /**
     * Runs control and subject by turns, the order changing from pair to pair, after one pair that
     * does not count.
     */
    static Pairs measure(int pairs, String unit, Callable<Double> subject, Callable<Double> control)
            throws Exception {
        var result = new Pairs(new ArrayList<>(), new ArrayList<>());
        for (int i = -1; i < pairs; i++) {
            double a;
            double b;
            if (i % 2 == 0) {
                a = subject.call();
                b = control.call();
            } else {
                b = control.call();
                a = subject.call();
            }
            if (i < 0) {
                continue;
            }
            result.subject.add(a);
            result.control.add(b);
            System.err.printf(
                    "pair %d of %d: %.1f %s against %.1f, ratio %.3f%n",
                    i + 1, pairs, a, unit, b, a / b);
        }
        return result;
    }

    List<Double> ratios() {
        var ratios = new ArrayList<Double>();
        for (int i = 0; i < subject.size(); i++) {
            ratios.add(subject.get(i) / control.get(i));
        }
        return ratios;
    }

    static double median(List<Double> values) {
        var sorted = values.stream().sorted().toList();
        int middle = sorted.size() / 2;
        return sorted.size() % 2 == 1
                ? sorted.get(middle)
                : (sorted.get(middle - 1) + sorted.get(middle)) / 2;
    }
}
