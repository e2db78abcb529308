package podvm.bench;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.StringJoiner;

/**
 * What a benchmark found.
 *
 * @param pass the ratio that must not be exceeded
 * @param beside further figures, by name with their unit
 * @param further whether what is promised of them is met, too
 */
record Result(
        String bench,
        Pairs pairs,
        String unit,
        String subject,
        String control,
        double pass,
        double target,
        Map<String, Double> beside,
        boolean further) {
    Result(
            String bench,
            Pairs pairs,
            String unit,
            String subject,
            String control,
            double pass,
            double target,
            Map<String, Double> beside) {
        this(bench, pairs, unit, subject, control, pass, target, beside, true);
    }

    boolean passes() {
        return ratio() <= pass && further;
    }

    double ratio() {
        return Pairs.median(pairs.ratios());
    }

    String text() {
        var ratios = pairs.ratios();
        var text = new StringBuilder();
        text.append(
                "%s: ratio %.3f (pass %.2f, target %.2f), %.3f to %.3f in %d pairs%n"
                        .formatted(
                                bench,
                                ratio(),
                                pass,
                                target,
                                ratios.stream().mapToDouble(r -> r).min().orElseThrow(),
                                ratios.stream().mapToDouble(r -> r).max().orElseThrow(),
                                ratios.size()));
        text.append("  %-44s %10.2f %s%n".formatted(subject, Pairs.median(pairs.subject()), unit));
        text.append("  %-44s %10.2f %s%n".formatted(control, Pairs.median(pairs.control()), unit));
        beside.forEach((name, value) -> text.append("  %-44s %10.2f%n".formatted(name, value)));
        return text.toString();
    }

    String json() {
        var ratios = pairs.ratios();
        var fields = new LinkedHashMap<String, Object>();
        fields.put("bench", bench);
        fields.put("ratio", ratio());
        fields.put("pairs", ratios.size());
        fields.put("low", ratios.stream().mapToDouble(r -> r).min().orElseThrow());
        fields.put("high", ratios.stream().mapToDouble(r -> r).max().orElseThrow());
        fields.put("subject_median", Pairs.median(pairs.subject()));
        fields.put("control_median", Pairs.median(pairs.control()));
        fields.put("unit", unit);
        fields.put("pass", pass);
        fields.put("target", target);
        fields.putAll(beside);
        var json = new StringJoiner(", ", "{", "}");
        fields.forEach((name, value) ->
                json.add(
                        "\""
                                + name
                                + "\": "
                                + switch (value) {
                                    case Double d -> String.format(Locale.ROOT, "%.4f", d);
                                    case Integer n -> n.toString();
                                    default -> "\"" + value + "\"";
                                }));
        return json.toString();
    }
}
