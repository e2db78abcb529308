package podvm.image.registry;

import java.net.http.HttpHeaders;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * One way in which a registry wants its users to be known (RFC 9110, section 11).
 *
 * @param scheme in small letters: "bearer", "basic"
 * @param parameters with names in small letters
 */
record Challenge(String scheme, Map<String, String> parameters) {
    private static final String TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
    private static final Pattern PARAMETER =
            Pattern.compile(
                    "\\s*("
                            + TOKEN
                            + ")\\s*=\\s*(?:\"((?:[^\"\\\\]|\\\\.)*+)\"|("
                            + TOKEN
                            + "))\\s*");
    private static final Pattern SCHEME = Pattern.compile("\\s*(" + TOKEN + ")(?=\\s|,|$)\\s*");

    /** There may be several headers, and several challenges in one of them. */
    static List<Challenge> in(HttpHeaders headers) {
        var found = new ArrayList<Challenge>();
        headers.allValues("WWW-Authenticate").forEach(text -> parse(text, found));
        return found;
    }

    String parameter(String name) {
        return parameters.getOrDefault(name, "");
    }

    private static void parse(String text, List<Challenge> found) {
        var scheme = SCHEME.matcher(text);
        var parameter = PARAMETER.matcher(text);
        int at = 0;
        while (at < text.length()) {
            if (text.charAt(at) == ',') {
                at++;
            } else if (!found.isEmpty() && parameter.region(at, text.length()).lookingAt()) {
                var quoted = parameter.group(2);
                found.getLast()
                        .parameters
                        .putIfAbsent(
                                parameter.group(1).toLowerCase(Locale.ROOT),
                                quoted == null
                                        ? parameter.group(3)
                                        : quoted.replaceAll("\\\\(.)", "$1"));
                at = parameter.end();
            } else if (scheme.region(at, text.length()).lookingAt()) {
                found.add(
                        new Challenge(
                                scheme.group(1).toLowerCase(Locale.ROOT), new LinkedHashMap<>()));
                at = scheme.end();
            } else {
                // what follows cannot be understood; what came before still counts
                return;
            }
        }
    }
}
