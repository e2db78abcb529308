package podvm.image.registry;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import podvm.engine.PodException;

/**
 * An HTTP proxy.
 *
 * @param login as a header carries it
 */
record ProxyAddress(String host, int port, Optional<String> login) {
    /**
     * @param text "http://user:password@proxy:3128", or a host with or without a port
     * @param where it was found, for messages: "HTTPS_PROXY"
     */
    static ProxyAddress parse(String text, String where) throws PodException {
        try {
            var uri = URI.create(text.contains("://") ? text : "http://" + text);
            if (!"http".equals(uri.getScheme())) {
                throw new PodException(
                        PodException.Kind.UNSUPPORTED,
                        "%s names a proxy of kind '%s'".formatted(where, uri.getScheme()),
                        "name one that is reached by http://host:port instead, or none");
            }
            if (uri.getHost() == null) {
                throw malformed(where);
            }
            return new ProxyAddress(
                    uri.getHost(),
                    uri.getPort() < 0 ? 80 : uri.getPort(),
                    Optional.ofNullable(uri.getRawUserInfo()).map(ProxyAddress::basic));
        } catch (IllegalArgumentException e) {
            throw malformed(where);
        }
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }

    /** Without the text, which may hold a password. */
    private static PodException malformed(String where) {
        return new PodException(
                PodException.Kind.INVALID,
                where + " does not name a proxy",
                "write it as http://host:port");
    }

    private static String basic(String userInfo) {
        int colon = userInfo.indexOf(':');
        var user = colon < 0 ? userInfo : userInfo.substring(0, colon);
        var password = colon < 0 ? "" : userInfo.substring(colon + 1);
        var login = decoded(user) + ":" + decoded(password);
        return "Basic "
                + Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8));
    }

    /** A plus stands for itself here. */
    private static String decoded(String text) {
        return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    }
}
