package podvm.node.manifest;

import java.util.Collection;
import java.util.Comparator;

/** What somebody may have meant. */
final class Suggestion {
    private static final int MOST_EDITS = 2;

    private Suggestion() {}

    /** ", did you mean X?" or nothing. */
    static String among(Collection<String> known, String given) {
        return known.stream()
                .filter(word -> edits(word, given) <= Math.min(MOST_EDITS, word.length() / 2))
                .min(
                        Comparator.comparingInt((String word) -> edits(word, given))
                                .thenComparing(w -> w))
                .map(word -> ", did you mean " + word + "?")
                .orElse("");
    }

    /** Insertions, deletions, replacements and swaps of neighbours; letters' case is free. */
    static int edits(String left, String right) {
        if (Math.abs(left.length() - right.length()) > MOST_EDITS) {
            return Integer.MAX_VALUE;
        }
        var a = left.toLowerCase(java.util.Locale.ROOT);
        var b = right.toLowerCase(java.util.Locale.ROOT);
        var cost = new int[a.length() + 1][b.length() + 1];
        for (var i = 0; i <= a.length(); i++) {
            for (var j = 0; j <= b.length(); j++) {
                cost[i][j] = i == 0 ? j : j == 0 ? i : step(cost, a, b, i, j);
            }
        }
        return cost[a.length()][b.length()];
    }

    private static int step(int[][] cost, String a, String b, int i, int j) {
        var same = a.charAt(i - 1) == b.charAt(j - 1);
        var best = Math.min(cost[i - 1][j], cost[i][j - 1]) + 1;
        best = Math.min(best, cost[i - 1][j - 1] + (same ? 0 : 1));
        if (i > 1
                && j > 1
                && a.charAt(i - 1) == b.charAt(j - 2)
                && a.charAt(i - 2) == b.charAt(j - 1)) {
            best = Math.min(best, cost[i - 2][j - 2] + 1);
        }
        return best;
    }
}
