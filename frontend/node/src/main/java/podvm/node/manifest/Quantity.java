package podvm.node.manifest;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** An amount as Kubernetes writes it (500m, 1.5Gi, 2e3), kept exactly. */
record Quantity(BigDecimal amount) {
    private static final Pattern FORM =
            Pattern.compile("([+-]?(?:[0-9]{1,30}\\.?[0-9]{0,30}|\\.[0-9]{1,30}))(.*)");
    private static final Pattern EXPONENT = Pattern.compile("[eE]([+-]?[0-9]{1,2})");
    private static final Map<String, BigDecimal> UNITS =
            Map.ofEntries(
                    Map.entry("", BigDecimal.ONE),
                    Map.entry("n", power(10, -9)),
                    Map.entry("u", power(10, -6)),
                    Map.entry("m", power(10, -3)),
                    Map.entry("k", power(10, 3)),
                    Map.entry("M", power(10, 6)),
                    Map.entry("G", power(10, 9)),
                    Map.entry("T", power(10, 12)),
                    Map.entry("P", power(10, 15)),
                    Map.entry("E", power(10, 18)),
                    Map.entry("Ki", power(2, 10)),
                    Map.entry("Mi", power(2, 20)),
                    Map.entry("Gi", power(2, 30)),
                    Map.entry("Ti", power(2, 40)),
                    Map.entry("Pi", power(2, 50)),
                    Map.entry("Ei", power(2, 60)));

    static Optional<Quantity> parse(String text) {
        var form = FORM.matcher(text);
        if (!form.matches()) {
            return Optional.empty();
        }
        var number = new BigDecimal(form.group(1));
        var exponent = EXPONENT.matcher(form.group(2));
        if (exponent.matches()) {
            var power = Integer.parseInt(exponent.group(1));
            return Optional.of(new Quantity(number.scaleByPowerOfTen(power)));
        }
        return Optional.ofNullable(UNITS.get(form.group(2)))
                .map(unit -> new Quantity(number.multiply(unit)));
    }

    /** Empty where it is no whole number of thousandths, or too large for one. */
    Optional<Long> thousandths() {
        return exact(amount.movePointRight(3));
    }

    /** Empty where it is no whole number, or too large for one. */
    Optional<Long> whole() {
        return exact(amount);
    }

    boolean negative() {
        return amount.signum() < 0;
    }

    private static Optional<Long> exact(BigDecimal number) {
        try {
            return Optional.of(number.longValueExact());
        } catch (ArithmeticException _) {
            return Optional.empty();
        }
    }

    private static BigDecimal power(int base, int exponent) {
        return base == 10
                ? BigDecimal.ONE.scaleByPowerOfTen(exponent)
                : new BigDecimal(BigInteger.valueOf(base).pow(exponent));
    }
}
