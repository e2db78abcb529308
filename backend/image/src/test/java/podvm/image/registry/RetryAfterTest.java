package podvm.image.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpHeaders;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RetryAfterTest {
    private static final Instant NOW = Instant.parse("2024-05-06T07:08:09Z");

    private static Optional<Duration> parse(String text) {
        var headers = HttpHeaders.of(Map.of("Retry-After", List.of(text)), (name, value) -> true);
        return RetryAfter.in(headers, NOW);
    }

    @Test
    void secondsAndDatesAreUnderstood() {
        assertThat(parse("120")).contains(Duration.ofMinutes(2));
        assertThat(parse("Mon, 06 May 2024 07:09:09 GMT")).contains(Duration.ofMinutes(1));
        assertThat(parse("Mon, 06 May 2024 07:00:00 GMT")).contains(Duration.ZERO);
    }

    @Test
    void whatIsNeitherIsNoWish() {
        for (var text : new String[] {"", "soon", "-1", "99999999999999", "1.5"}) {
            assertThat(parse(text)).as(text).isEmpty();
        }
    }
}
