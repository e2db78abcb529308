package podvm.cli.wire;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Base64;
import java.util.Map;

/** How a call ended. */
sealed interface Outcome {
    record Success() implements Outcome {}

    record Refused(int status, String message, byte[] details) implements Outcome {}

    /** The connection failed, or we closed it. */
    record Broken(IOException cause) implements Outcome {}

    /** From the trailers of a stream. */
    static Outcome of(Map<String, String> trailers) {
        var status = trailers.getOrDefault("grpc-status", "");
        if (status.equals("0")) {
            return new Success();
        }
        if (!status.matches("[0-9]{1,3}")) {
            return new Broken(new WireException("the answer ends without a gRPC status"));
        }
        return new Refused(
                Integer.parseInt(status),
                unescape(trailers.getOrDefault("grpc-message", "")),
                details(trailers.getOrDefault("podvm-error-bin", "")));
    }

    private static byte[] details(String base64) {
        try {
            return Base64.getDecoder().decode(base64);
        } catch (IllegalArgumentException _) {
            // the status and message alone must do
            return new byte[0];
        }
    }

    /** gRPC sends bytes outside of printable ASCII as %XX. */
    private static String unescape(String text) {
        var bytes = new ByteArrayOutputStream(text.length());
        for (var i = 0; i < text.length(); i++) {
            var c = text.charAt(i);
            if (c == '%'
                    && i + 2 < text.length()
                    && text.substring(i + 1, i + 3).matches("\\p{XDigit}{2}")) {
                bytes.write(Integer.parseInt(text.substring(i + 1, i + 3), 16));
                i += 2;
            } else {
                bytes.write(c);
            }
        }
        return bytes.toString(UTF_8);
    }
}
