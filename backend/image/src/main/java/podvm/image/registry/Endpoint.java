package podvm.image.registry;

import java.net.URI;
import java.util.Locale;
import java.util.regex.Pattern;

/** Where a registry answers: HTTPS, except on this very machine. */
record Endpoint(URI base) {
    private static final Pattern LOOPBACK =
            Pattern.compile("localhost|127(\\.[0-9]{1,3}){3}|\\[(::1|0*(:0*){6}:0*1)\\]");

    /** Docker's registry does not live where its images are named after. */
    static Endpoint of(String registry) {
        if (registry.equals("docker.io")) {
            return new Endpoint(URI.create("https://registry-1.docker.io"));
        }
        var plain = URI.create("http://" + registry);
        return new Endpoint(isLoopback(plain) ? plain : URI.create("https://" + registry));
    }

    static boolean isLoopback(URI uri) {
        var host = uri.getHost();
        return host != null && LOOPBACK.matcher(host.toLowerCase(Locale.ROOT)).matches();
    }

    /** Nobody on the way could read or change what passes. */
    static boolean isSafe(URI uri) {
        return "https".equals(uri.getScheme())
                || ("http".equals(uri.getScheme()) && isLoopback(uri));
    }

    URI resolve(String path) {
        return base.resolve(path);
    }
}
