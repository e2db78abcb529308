package podvm.image;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import podvm.engine.PodException;

class PlatformChoiceTest {
    private final PlatformChoice choice = new PlatformChoice(Layers.OPTIONS.platform());

    private void check(String platform) throws PodException {
        var config = "{\"os\":\"linux\",%s,\"rootfs\":{\"diff_ids\":[]}}".formatted(platform);
        choice.check(ConfigFile.parse(config.getBytes(StandardCharsets.UTF_8)), "the image");
    }

    @Test
    void anImageWithoutAnIndexIsHeldToItsVariantToo() throws Exception {
        check("\"architecture\":\"amd64\"");
        check("\"architecture\":\"amd64\",\"variant\":\"v1\"");
        assertThatThrownBy(() -> check("\"architecture\":\"amd64\",\"variant\":\"v3\""))
                .isInstanceOf(PodException.class)
                .hasMessageContainingAll("linux/amd64/v3", "this node is linux/amd64");
        assertThatThrownBy(() -> check("\"architecture\":\"arm64\""))
                .hasMessageContaining("linux/arm64");
    }
}
