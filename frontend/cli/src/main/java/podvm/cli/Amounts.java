package podvm.cli;

import java.util.Locale;

/** Numbers for people. */
final class Amounts {
    private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};

    private Amounts() {}

    static String bytes(long bytes) {
        var unit = 0;
        double amount = bytes;
        while (amount >= 999.5 && unit < UNITS.length - 1) {
            amount /= 1000;
            unit++;
        }
        return (unit == 0 || amount >= 99.95
                        ? Long.toString(Math.round(amount))
                        : String.format(Locale.ROOT, "%.1f", amount))
                + " "
                + UNITS[unit];
    }

    /** How long ago, in the one unit that matters. */
    static String age(long unixNanos) {
        return age(unixNanos, System.currentTimeMillis());
    }

    static String age(long unixNanos, long nowMillis) {
        var seconds = Math.max(0, (nowMillis - unixNanos / 1_000_000) / 1000);
        if (seconds < 120) {
            return seconds + "s";
        }
        if (seconds < 120 * 60) {
            return seconds / 60 + "m";
        }
        return seconds < 48 * 3600 ? seconds / 3600 + "h" : seconds / 86_400 + "d";
    }
}
