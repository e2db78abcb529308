package podvm.engine.log;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;

/**
 * Time stamps of log lines: RFC 3339 in UTC with nine digits, so that every stamp has the same
 * length.
 */
final class LogTime {
    private static final DateTimeFormatter FORM =
            new DateTimeFormatterBuilder()
                    .appendPattern("uuuu-MM-dd'T'HH:mm:ss")
                    .appendLiteral('.')
                    .appendPattern("SSSSSSSSS'Z'")
                    .toFormatter()
                    .withZone(ZoneOffset.UTC);

    private static final Instant FIRST = Instant.parse("0000-01-01T00:00:00Z");
    private static final Instant LAST = Instant.parse("9999-12-31T23:59:59.999999999Z");

    private LogTime() {}

    /**
     * Times with a year of other than four digits come from a guest without a clock, or a hostile
     * one.
     */
    static String format(Instant time) {
        return FORM.format(time.isBefore(FIRST) ? FIRST : time.isAfter(LAST) ? LAST : time);
    }

    static Instant parse(String text) {
        return Instant.parse(text);
    }
}
