package podvm.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Rows under headings, each column as wide as it must be. */
final class Table {
    private static final String GAP = "   ";

    private final List<List<String>> rows = new ArrayList<>();

    Table(String... headings) {
        rows.add(List.of(headings));
    }

    void add(String... cells) {
        rows.add(List.of(cells));
    }

    void print(Stdio stdio) throws IOException {
        var widths = new int[rows.getFirst().size()];
        for (var row : rows) {
            for (var i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], width(row.get(i)));
            }
        }
        for (var row : rows) {
            stdio.print(line(row, widths));
        }
    }

    private static String line(List<String> row, int[] widths) {
        var line = new StringBuilder();
        for (var i = 0; i < widths.length; i++) {
            var cell = row.get(i);
            line.append(i == 0 ? "" : GAP).append(cell);
            line.append(" ".repeat(widths[i] - width(cell)));
        }
        return line.toString().stripTrailing();
    }

    private static int width(String cell) {
        return cell.codePointCount(0, cell.length());
    }
}
