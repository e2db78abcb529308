package podvm.node.manifest;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SuggestionTest {
    @Test
    void swapsGapsAndCaseAreForgiven() {
        assertThat(Suggestion.edits("image", "imgae")).isEqualTo(1);
        assertThat(Suggestion.edits("containers", "contaners")).isEqualTo(1);
        assertThat(Suggestion.edits("restartPolicy", "restartpolicy")).isZero();
    }

    @Test
    void theNearestWordIsMeant() {
        assertThat(Suggestion.among(List.of("limits", "requests"), "limit"))
                .isEqualTo(", did you mean limits?");
    }

    @Test
    void nothingIsSuggestedForSomethingElse() {
        assertThat(Suggestion.among(List.of("limits", "os"), "whatever")).isEmpty();
        assertThat(Suggestion.among(List.of("os"), "tt")).isEmpty();
    }
}
