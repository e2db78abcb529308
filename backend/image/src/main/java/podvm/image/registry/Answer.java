package podvm.image.registry;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpHeaders;
import java.util.List;
import java.util.Optional;
import podvm.engine.PodException;
import podvm.image.content.Json;

/**
 * What a server says, which the caller closes.
 *
 * @param from where it came from in the end
 */
record Answer(int status, HttpHeaders headers, InputStream body, URI from)
        implements AutoCloseable {
    private static final int LARGEST_COMPLAINT = 16 << 10;

    Optional<String> header(String name) {
        return headers.firstValue(name);
    }

    List<Challenge> challenges() {
        return Challenge.in(headers);
    }

    /** Why the server refuses, in its own words (OCI distribution specification, "Errors"). */
    String complaint() {
        try {
            var node = Json.parse(body.readNBytes(LARGEST_COMPLAINT), "answer");
            var first = node.path("errors").path(0);
            var texts = List.of(Json.text(first, "message"), Json.text(node, "details"));
            return texts.stream()
                    .filter(text -> !text.isEmpty())
                    .findFirst()
                    .map(Messages::shown)
                    .orElse("");
        } catch (IOException | PodException e) {
            // its status must do
            return "";
        }
    }

    /** The rest is not wanted, but read where it is short: the connection can then be kept. */
    void discard() {
        try (body) {
            if (headers.firstValueAsLong("Content-Length").orElse(Long.MAX_VALUE)
                    <= LARGEST_COMPLAINT) {
                body.skipNBytes(LARGEST_COMPLAINT);
            }
        } catch (IOException e) {
            // its end, or a broken connection, which is as good
            return;
        }
    }

    @Override
    public void close() throws IOException {
        body.close();
    }
}
