package podvm.image.registry;

import java.net.URI;
import java.util.Locale;
import java.util.regex.Pattern;

/** Compares where requests go, and tells where plain HTTP does no harm. */
final class Origins {
    private static final Pattern LOOPBACK =
            Pattern.compile("localhost|127(\\.[0-9]{1,3}){3}|\\[(::1|0*(:0*){6}:0*1)\\]");

    private Origins() {}

    static boolean isLoopback(URI uri) {
        var host = uri.getHost();
        return host != null && LOOPBACK.matcher(host.toLowerCase(Locale.ROOT)).matches();
    }

    static boolean isHttp(URI uri) {
        return "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
    }

    /**
     * Whether a server may send us there: nobody on the way could read or change what passes, or
     * the way to the server itself, declared to be plain HTTP, was no better.
     */
    static boolean mayLead(URI from, URI to) {
        if (to.getHost() == null || !isHttp(to)) {
            return false;
        }
        boolean openBefore = "http".equals(from.getScheme()) && !isLoopback(from);
        return "https".equals(to.getScheme()) || isLoopback(to) || openBefore;
    }

    static boolean same(URI one, URI other) {
        return one.getScheme().equals(other.getScheme())
                && one.getHost() != null
                && one.getHost().equalsIgnoreCase(other.getHost())
                && port(one) == port(other);
    }

    static int port(URI uri) {
        if (uri.getPort() >= 0) {
            return uri.getPort();
        }
        return "http".equals(uri.getScheme()) ? 80 : 443;
    }
}
