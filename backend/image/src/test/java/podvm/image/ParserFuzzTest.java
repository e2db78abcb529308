package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;
import podvm.engine.PodException;

/** What registries and users write is understood or refused, and never ends in anything else. */
class ParserFuzzTest {
    private static final String HEX = "0123456789abcdef".repeat(4);

    @MethodSource("manifests")
    @FuzzTest(maxDuration = "5m")
    void aManifestOrConfigIsUnderstoodOrRefused(byte[] json) {
        try {
            assertThat(Manifest.parse(json, "the manifest")).isNotNull();
        } catch (PodException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
        try {
            assertThat(ConfigFile.parse(json)).isNotNull();
        } catch (PodException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    @MethodSource("references")
    @FuzzTest(maxDuration = "5m")
    void aReferenceMeansTheSameWhenWrittenOut(byte[] text) {
        try {
            var full = ImageReference.parse(new String(text, StandardCharsets.UTF_8)).full();
            assertThat(ImageReference.parse(full).full()).isEqualTo(full);
        } catch (PodException e) {
            assertThat(e.getMessage()).isNotBlank();
        }
    }

    static Stream<byte[]> manifests() {
        var descriptor =
                "{\"mediaType\":\"a/b\",\"digest\":\"sha256:%s\",\"size\":7}".formatted(HEX);
        return Stream.of(
                        "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}"
                                .formatted(descriptor, descriptor),
                        "{\"schemaVersion\":2,\"manifests\":[%s]}".formatted(descriptor),
                        "{\"config\":{},\"layers\":[{\"size\":-1}]}",
                        "{\"manifests\":[null,1,\"x\"]}",
                        "[".repeat(2000),
                        OciBytes.config("amd64", List.of(new byte[0])),
                        "{\"size\":1e999}")
                .map(text -> text.getBytes(StandardCharsets.UTF_8));
    }

    static Stream<byte[]> references() {
        return Stream.of("busybox", "a.b:5000/c/d:e", "a@sha256:" + HEX, "[::1]:5/a", "a/", "é")
                .map(text -> text.getBytes(StandardCharsets.UTF_8));
    }
}
