package podvm.image;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import podvm.engine.PodException;

class ImageReferenceTest {
    private static final String HEX =
            "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    @ParameterizedTest
    @CsvSource({
        "busybox, docker.io/library/busybox:latest",
        "busybox:1.36, docker.io/library/busybox:1.36",
        "docker.io/busybox, docker.io/library/busybox:latest",
        "index.docker.io/library/busybox, docker.io/library/busybox:latest",
        "grafana/grafana, docker.io/grafana/grafana:latest",
        "localhost/busybox:stable, localhost/busybox:stable",
        "localhost:5000/a/b, localhost:5000/a/b:latest",
        "127.0.0.1:5000/a, 127.0.0.1:5000/a:latest",
        "[::1]:5000/a:x, [::1]:5000/a:x",
        "quay.io/a/b_c/d-e.f:V1.0_x, quay.io/a/b_c/d-e.f:V1.0_x",
        "Host/a, Host/a:latest",
    })
    void shortNamesAreWrittenOut(String text, String full) throws Exception {
        assertThat(ImageReference.parse(text).full()).isEqualTo(full);
    }

    @Test
    void aDigestCountsMoreThanATag() throws Exception {
        var reference = ImageReference.parse("quay.io/a/b:1@sha256:" + HEX);
        assertThat(reference.full()).isEqualTo("quay.io/a/b@sha256:" + HEX);
        assertThat(reference.version()).isEqualTo("sha256:" + HEX);
        assertThat(reference.tag()).contains("1");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                ":",
                "a:",
                "A",
                "a//b",
                "/a",
                "a/",
                "a b",
                "a:b c",
                "a@sha256:12",
                "a@md5:" + HEX,
                "-host.io/a",
                "host.io:port/a",
                "a/-b",
                "a___b",
                "a..b",
                "../a",
                HEX,
                "a@sha256:" + HEX + "@sha256:" + HEX,
                "a\n",
                "é"
            })
    void otherTextsAreRefusedAndQuoted(String text) {
        assertThatThrownBy(() -> ImageReference.parse(text))
                .isInstanceOfSatisfying(
                        PodException.class,
                        e -> assertThat(e.kind()).isEqualTo(PodException.Kind.INVALID))
                .hasMessageContaining("'" + text + "'");
    }

    @Test
    void longNonsenseIsRefusedQuickly() {
        var text = "a-".repeat(200_000) + "/" + "a.".repeat(200_000);
        assertThatThrownBy(() -> ImageReference.parse(text)).isInstanceOf(PodException.class);
    }
}
