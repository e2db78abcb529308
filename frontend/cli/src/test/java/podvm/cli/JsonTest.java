package podvm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import podvm.proto.node.v1.Finding;
import podvm.proto.node.v1.PodCreated;
import podvm.proto.node.v1.Stage;

class JsonTest {
    @Test
    void everyFieldIsThereAndEscaped() {
        var created = PodCreated.newBuilder().setName("a\"\\\n\u0001é").addContainers("c").build();
        assertThat(Json.of(created))
                .isEqualTo(
                        """
                        {
                          "id": "",
                          "namespace": "",
                          "name": "a\\"\\\\\\n\\u0001é",
                          "containers": [
                            "c"
                          ]
                        }\
                        """);
    }

    @Test
    void timesAreTextOrNull() {
        assertThat(Json.of(Stage.newBuilder().setAtUnixNs(1_500_000_000L).build()))
                .contains("\"at\": \"1970-01-01T00:00:01.500Z\"");
        assertThat(Json.of(Stage.getDefaultInstance())).contains("\"at\": null");
    }

    @Test
    void choicesAreWordsAndListsMayBeEmpty() {
        assertThat(Json.of(List.of(Finding.newBuilder().setState(Finding.State.OK).build())))
                .contains("\"state\": \"OK\"");
        assertThat(Json.of(List.of())).isEqualTo("[]");
    }
}
