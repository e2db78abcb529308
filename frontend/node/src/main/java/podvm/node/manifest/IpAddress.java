package podvm.node.manifest;

import java.net.InetAddress;
import java.util.regex.Pattern;

/** Checks addresses without ever asking a name server. */
final class IpAddress {
    private static final Pattern V4 =
            Pattern.compile("((25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])(\\.(?=.)|$)){4}");

    private IpAddress() {}

    static boolean isValid(String text) {
        if (V4.matcher(text).matches()) {
            return true;
        }
        if (!text.contains(":") || !text.matches("[0-9a-fA-F:.]{2,45}")) {
            return false;
        }
        try {
            InetAddress.ofLiteral(text);
            return true;
        } catch (IllegalArgumentException _) {
            return false;
        }
    }
}
