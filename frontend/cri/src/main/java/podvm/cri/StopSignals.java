package podvm.cri;

import java.util.regex.Pattern;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.proto.cri.v1.Signal;

/** The wire's own numbering of signals, and Linux's. */
final class StopSignals {
    /** SIGRTMIN and SIGRTMAX as programs see them on Linux: signal(7). */
    private static final int RTMIN = 34;

    private static final int RTMAX = 64;
    private static final Pattern REAL_TIME =
            Pattern.compile("SIGRT(MIN|MAX)(?:(PLUS|MINUS)([0-9]+))?");

    private StopSignals() {}

    /** "SIGINT" or a number; empty: the image's. */
    static String text(Signal signal) throws PodException {
        if (signal == Signal.RUNTIME_DEFAULT) {
            return "";
        }
        if (signal == Signal.UNRECOGNIZED) {
            throw new PodException(Kind.INVALID, "unknown config.stop_signal", "");
        }
        var parts = REAL_TIME.matcher(signal.name());
        if (!parts.matches()) {
            return signal.name();
        }
        int base = parts.group(1).equals("MIN") ? RTMIN : RTMAX;
        int away = parts.group(3) == null ? 0 : Integer.parseInt(parts.group(3));
        return Integer.toString("MINUS".equals(parts.group(2)) ? base - away : base + away);
    }

    /** The same the other way; what the wire has no word for is the default. */
    static Signal message(String text) {
        for (var signal : Signal.values()) {
            try {
                if (signal != Signal.UNRECOGNIZED && !text.isEmpty() && text(signal).equals(text)) {
                    return signal;
                }
            } catch (PodException e) {
                throw new IllegalStateException(e);
            }
        }
        return Signal.RUNTIME_DEFAULT;
    }
}
