package podvm.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** How long each thing took inside one guest, in milliseconds. */
record Inside(Map<Figure, Double> millis) {
    /** With the speed, of a plain process's, that a container must have at least. */
    enum Figure {
        CPU(0.97),
        CALLS(0.95),
        STARTS(0.95),
        READS(0.85),
        SENDS(0.90);

        final double least;

        Figure(double least) {
            this.least = least;
        }

        List<Double> of(List<Inside> all) {
            return all.stream().map(one -> one.ms(this)).toList();
        }
    }

    private static final Pattern LINE = Pattern.compile("inside ([a-z]+) (\\d+)\\s*");

    static Inside read(Stream<String> lines) throws IOException {
        var millis = new EnumMap<Figure, Double>(Figure.class);
        var said = new StringBuilder();
        lines.forEach(line -> {
            var found = LINE.matcher(line);
            if (found.matches()) {
                millis.put(
                        Figure.valueOf(found.group(1).toUpperCase(Locale.ROOT)),
                        Double.valueOf(found.group(2)));
            } else {
                said.append(line).append('\n');
            }
        });
        if (millis.size() < Figure.values().length) {
            throw new IOException("only " + millis + " were measured; the guest said:\n" + said);
        }
        return new Inside(millis);
    }

    double ms(Figure figure) {
        return millis.getOrDefault(figure, Double.NaN);
    }

    static String resource(String name) throws IOException {
        try (var in = Inside.class.getResourceAsStream(name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
