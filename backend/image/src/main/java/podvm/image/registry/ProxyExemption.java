package podvm.image.registry;

import java.net.InetAddress;
import java.net.URI;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;

/** One entry of NO_PROXY: what is reached without a proxy. Names are never looked up for it. */
sealed interface ProxyExemption {
    boolean covers(URI uri);

    record Everything() implements ProxyExemption {
        @Override
        public boolean covers(URI uri) {
            return true;
        }
    }

    /**
     * @param name without a dot before it
     * @param itself whether it covers the name too, or only those below it
     * @param port -1: any
     */
    record Domain(String name, boolean itself, int port) implements ProxyExemption {
        @Override
        public boolean covers(URI uri) {
            var host = host(uri);
            boolean named = (itself && host.equals(name)) || host.endsWith("." + name);
            return named && (port < 0 || port == Origins.port(uri));
        }
    }

    /**
     * @param bits of the address that count
     * @param port -1: any
     */
    record Network(InetAddress address, int bits, int port) implements ProxyExemption {
        @Override
        public boolean covers(URI uri) {
            var other = literal(host(uri));
            return other.isPresent()
                    && begin(address.getAddress(), other.get().getAddress(), bits)
                    && (port < 0 || port == Origins.port(uri));
        }

        private static boolean begin(byte[] one, byte[] other, int bits) {
            if (one.length != other.length) {
                return false;
            }
            for (int bit = 0; bit < bits; bit++) {
                int mask = 0x80 >> (bit % 8);
                if (((one[bit / 8] ^ other[bit / 8]) & mask) != 0) {
                    return false;
                }
            }
            return true;
        }
    }

    Pattern PORT = Pattern.compile("(.+):([0-9]{1,5})");
    Pattern ADDRESS = Pattern.compile("[0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:.]*");

    /** What is malformed is taken as a name that nothing bears, as other programs do. */
    static ProxyExemption parse(String entry) {
        if (entry.equals("*")) {
            return new Everything();
        }
        var text = entry.toLowerCase(Locale.ROOT);
        int slash = text.indexOf('/');
        if (slash > 0) {
            var network = literal(text.substring(0, slash));
            var bits = text.substring(slash + 1);
            if (network.isPresent() && bits.matches("[0-9]{1,3}")) {
                int most = network.get().getAddress().length * 8;
                return new Network(network.get(), Math.min(most, Integer.parseInt(bits)), -1);
            }
        }
        if (literal(text).isPresent()) {
            return whole(literal(text).get(), -1);
        }
        var ported = PORT.matcher(text);
        boolean hasPort = ported.matches();
        var name = hasPort ? ported.group(1) : text;
        int port = hasPort ? Integer.parseInt(ported.group(2)) : -1;
        if (literal(name).isPresent()) {
            return whole(literal(name).get(), port);
        }
        if (name.startsWith("*.")) {
            return new Domain(name.substring(2), false, port);
        }
        return name.startsWith(".")
                ? new Domain(name.substring(1), false, port)
                : new Domain(name, true, port);
    }

    private static Network whole(InetAddress address, int port) {
        return new Network(address, address.getAddress().length * 8, port);
    }

    /** Of an address in digits, perhaps in brackets. */
    private static Optional<InetAddress> literal(String text) {
        var bare =
                text.startsWith("[") && text.endsWith("]")
                        ? text.substring(1, text.length() - 1)
                        : text;
        if (!ADDRESS.matcher(bare).matches()) {
            return Optional.empty();
        }
        try {
            return Optional.of(InetAddress.ofLiteral(bare));
        } catch (IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private static String host(URI uri) {
        var host = uri.getHost();
        return host == null ? "" : host.toLowerCase(Locale.ROOT);
    }
}
