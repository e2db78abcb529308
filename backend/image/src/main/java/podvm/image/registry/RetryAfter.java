package podvm.image.registry;

import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Optional;

/** When a server wants to be asked again (RFC 9110, section 10.2.3): seconds or a date. */
final class RetryAfter {
    private RetryAfter() {}

    static Optional<Duration> in(HttpHeaders headers, Instant now) {
        return headers.firstValue("Retry-After").flatMap(text -> parse(text.strip(), now));
    }

    private static Optional<Duration> parse(String text, Instant now) {
        if (text.matches("[0-9]{1,9}")) {
            return Optional.of(Duration.ofSeconds(Long.parseLong(text)));
        }
        try {
            var date = ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME);
            var wait = Duration.between(now, date.toInstant());
            return Optional.of(wait.isNegative() ? Duration.ZERO : wait);
        } catch (DateTimeParseException e) {
            // as good as none
            return Optional.empty();
        }
    }
}
