package podvm.network;

import java.util.List;

/** The resolver's configuration (resolv.conf(5)). */
final class ResolvConf {
    /** What the resolver itself takes. */
    private static final int MOST_DOMAINS = 32;

    private ResolvConf() {}

    /** The last "search" or "domain" line counts. */
    static List<String> searchDomains(String text) {
        List<String> domains = List.of();
        for (var line : text.lines().toList()) {
            var words = List.of(line.strip().split("[ \t]+"));
            if (words.getFirst().equals("search") || words.getFirst().equals("domain")) {
                domains =
                        words.stream()
                                .skip(1)
                                .filter(domain -> domain.matches("[A-Za-z0-9._-]{1,253}"))
                                .filter(domain -> !domain.equals("."))
                                .limit(MOST_DOMAINS)
                                .toList();
            }
        }
        return domains;
    }
}
