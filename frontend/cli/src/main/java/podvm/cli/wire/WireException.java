package podvm.cli.wire;

import java.io.IOException;

/** The other side does not keep to HTTP/2 or gRPC. */
public final class WireException extends IOException {
    WireException(String message) {
        super(message);
    }
}
