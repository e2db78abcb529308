package podvm.image.registry;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpHeaders;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ChallengeTest {
    private static List<Challenge> parse(String... headers) {
        return Challenge.in(
                HttpHeaders.of(
                        Map.of("WWW-Authenticate", List.of(headers)), (name, value) -> true));
    }

    @Test
    void parametersAreReadQuotedAndUnquoted() {
        var challenges =
                parse(
                        "Bearer realm=\"https://auth.example/token?a=b,c\", service=reg ,"
                                + "SCOPE=\"repository:a/b:pull,push\",error=\"say \\\"please\\\"\"");
        assertThat(challenges).hasSize(1);
        var bearer = challenges.getFirst();
        assertThat(bearer.scheme()).isEqualTo("bearer");
        assertThat(bearer.parameter("realm")).isEqualTo("https://auth.example/token?a=b,c");
        assertThat(bearer.parameter("service")).isEqualTo("reg");
        assertThat(bearer.parameter("scope")).isEqualTo("repository:a/b:pull,push");
        assertThat(bearer.parameter("error")).isEqualTo("say \"please\"");
        assertThat(bearer.parameter("none")).isEmpty();
    }

    @Test
    void severalChallengesAreToldApartInOneHeaderAndInMany() {
        var expected = List.of("negotiate", "basic", "bearer");
        assertThat(parse("Negotiate, Basic realm=\"x\", Bearer realm=\"y\""))
                .extracting(Challenge::scheme)
                .isEqualTo(expected);
        assertThat(parse("Negotiate", "Basic realm=\"x\"", "Bearer realm=\"y\""))
                .extracting(Challenge::scheme)
                .isEqualTo(expected);
        assertThat(parse("Basic realm=\"x\", Bearer realm=\"y\"").getFirst().parameter("realm"))
                .isEqualTo("x");
    }

    @Test
    void whatCannotBeUnderstoodEndsTheListAndHarmsNothing() {
        assertThat(parse("", ",,,", "Basic realm=\"open", "=")).hasSize(1);
        assertThat(parse("Bearer " + "a=\"".repeat(50_000))).hasSize(1);
        assertThat(parse("\"\"\"", "Bearer realm=\"" + "\\".repeat(100_001))).isNotNull();
    }
}
