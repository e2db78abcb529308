package podvm.engine.pod;

import java.util.Locale;
import java.util.Map;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

/** Signal numbers of Linux on x86-64 and arm64: signal(7). */
final class Signals {
    static final int KILL = 9;
    private static final int TERM = 15;
    private static final int RTMIN = 34;
    private static final int MAX = 64;
    private static final Map<String, Integer> NUMBERS =
            Map.ofEntries(
                    Map.entry("HUP", 1),
                    Map.entry("INT", 2),
                    Map.entry("QUIT", 3),
                    Map.entry("ILL", 4),
                    Map.entry("TRAP", 5),
                    Map.entry("ABRT", 6),
                    Map.entry("BUS", 7),
                    Map.entry("FPE", 8),
                    Map.entry("KILL", KILL),
                    Map.entry("USR1", 10),
                    Map.entry("SEGV", 11),
                    Map.entry("USR2", 12),
                    Map.entry("PIPE", 13),
                    Map.entry("ALRM", 14),
                    Map.entry("TERM", TERM),
                    Map.entry("STKFLT", 16),
                    Map.entry("CHLD", 17),
                    Map.entry("CONT", 18),
                    Map.entry("STOP", 19),
                    Map.entry("TSTP", 20),
                    Map.entry("TTIN", 21),
                    Map.entry("TTOU", 22),
                    Map.entry("URG", 23),
                    Map.entry("XCPU", 24),
                    Map.entry("XFSZ", 25),
                    Map.entry("VTALRM", 26),
                    Map.entry("PROF", 27),
                    Map.entry("WINCH", 28),
                    Map.entry("IO", 29),
                    Map.entry("PWR", 30),
                    Map.entry("SYS", 31));

    private Signals() {}

    /** An image's stop signal: "SIGINT", "INT", "2", "SIGRTMIN+3"; empty is SIGTERM. */
    static int parse(String text) throws PodException {
        var name = text.toUpperCase(Locale.ROOT);
        name = name.startsWith("SIG") ? name.substring(3) : name;
        if (name.isEmpty()) {
            return TERM;
        }
        try {
            int number =
                    NUMBERS.containsKey(name)
                            ? NUMBERS.get(name)
                            : name.startsWith("RTMIN+")
                                    ? RTMIN + Integer.parseInt(name.substring("RTMIN+".length()))
                                    : name.equals("RTMIN") ? RTMIN : Integer.parseInt(name);
            if (number >= 1 && number <= MAX) {
                return number;
            }
        } catch (NumberFormatException e) {
            // reported below
        }
        throw new PodException(
                Kind.INVALID,
                "not a stop signal: " + text,
                "use a name such as SIGTERM, or 1 to 64");
    }
}
