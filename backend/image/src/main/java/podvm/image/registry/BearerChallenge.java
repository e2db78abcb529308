package podvm.image.registry;

import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpHeaders;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * How a registry says where a token is to be had (RFC 6750; Docker's "Token Authentication
 * Specification").
 *
 * @param realm the token service
 */
record BearerChallenge(URI realm, String service, String scope) {
    private static final Pattern PARAMETER = Pattern.compile("([a-zA-Z]+)=\"([^\"]*)\"");

    static Optional<BearerChallenge> in(HttpHeaders headers) {
        return headers.allValues("WWW-Authenticate").stream()
                .filter(value -> value.toLowerCase(Locale.ROOT).startsWith("bearer "))
                .findFirst()
                .flatMap(BearerChallenge::parse);
    }

    private static Optional<BearerChallenge> parse(String header) {
        Map<String, String> parameters = new HashMap<>();
        var matcher = PARAMETER.matcher(header);
        while (matcher.find()) {
            parameters.put(matcher.group(1).toLowerCase(Locale.ROOT), matcher.group(2));
        }
        try {
            var realm = URI.create(parameters.getOrDefault("realm", ""));
            return Endpoint.isSafe(realm)
                    ? Optional.of(
                            new BearerChallenge(
                                    realm,
                                    parameters.getOrDefault("service", ""),
                                    parameters.getOrDefault("scope", "")))
                    : Optional.empty();
        } catch (IllegalArgumentException e) {
            // not a URI: as good as no challenge
            return Optional.empty();
        }
    }

    URI tokenRequest() {
        var joint = realm.getRawQuery() == null ? "?" : "&";
        return URI.create(
                realm + joint + "service=" + encoded(service) + "&scope=" + encoded(scope));
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8);
    }
}
