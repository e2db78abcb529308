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

    private LogTime() {}

    static String format(Instant time) {
        return FORM.format(time);
    }

    static Instant parse(String text) {
        return Instant.parse(text);
    }
}
