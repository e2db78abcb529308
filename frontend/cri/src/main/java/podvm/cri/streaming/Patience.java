package podvm.cri.streaming;

import java.time.Duration;

/**
 * How long clients are waited for.
 *
 * @param request for the one HTTP request, and for TLS before it
 * @param streams for a client to open all its streams, as the kubelet's own server waits
 * @param idle without a byte in either direction, as the kubelet waits by default
 */
record Patience(Duration request, Duration streams, Duration idle) {
    static final Patience USUAL =
            new Patience(Duration.ofSeconds(30), Duration.ofSeconds(30), Duration.ofHours(4));
}
