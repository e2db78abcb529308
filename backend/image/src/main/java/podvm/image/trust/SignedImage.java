package podvm.image.trust;

import java.util.List;
import java.util.Optional;
import podvm.engine.Digest;

/**
 * What is to be trusted.
 *
 * @param repository with its host: "docker.io/library/nginx"
 * @param tag by which it was asked for; empty: by digest
 * @param digests of the manifest and, where that is one of an index, of the index: a signature of
 *     either binds the same content
 */
public record SignedImage(String repository, Optional<String> tag, List<Digest> digests) {
    String shown() {
        return tag.map(text -> repository + ":" + text)
                .orElseGet(() -> repository + "@" + digests.getFirst());
    }
}
