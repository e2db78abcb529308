package podvm.network.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;

class NetworkListsTest {
    @TempDir Path directory;

    private void file(String name, String text) throws Exception {
        Files.writeString(directory.resolve(name), text);
    }

    private static String list(String name) {
        return "{\"cniVersion\":\"1.0.0\",\"name\":\"%s\",\"plugins\":[{\"type\":\"bridge\"}]}"
                .formatted(name);
    }

    private NetworkLists lists() {
        return new NetworkLists(directory);
    }

    @Test
    void theFirstByFileNameIsTheOneOfTheNode() throws Exception {
        file("20-b.conflist", list("late"));
        file("10-a.conf", "{\"cniVersion\":\"0.4.0\",\"name\":\"early\",\"type\":\"ptp\"}");
        file("00-readme.txt", "not a network");

        assertThat(lists().first().name()).isEqualTo("early");
        assertThat(lists().first().types()).containsExactly("ptp");
        assertThat(lists().named("late").source()).endsWith("20-b.conflist");
    }

    @Test
    void aFileThatHasJustComeCountsAtOnce() throws Exception {
        var lists = lists();
        assertThat(assertThrows(PodException.class, lists::first).kind()).isEqualTo(Kind.NOT_FOUND);

        file("10-a.conflist", list("new"));

        assertThat(lists.first().name()).isEqualTo("new");
    }

    @Test
    void aBrokenFileStandsInNobodysWayAndIsToldWhereNothingElseIs() throws Exception {
        file("05-broken.conflist", "{\"name\":");
        assertThat(assertThrows(PodException.class, () -> lists().first()))
                .hasMessageContaining("05-broken.conflist is wrong: it is not one JSON object");

        file("10-a.conflist", list("good"));
        assertThat(lists().first().name()).isEqualTo("good");
    }

    @Test
    void anUnknownNameIsAnsweredWithThoseThatThereAre() throws Exception {
        file("10-a.conflist", list("a"));
        file("11-b.conflist", list("b"));

        var failure = assertThrows(PodException.class, () -> lists().named("c"));

        assertThat(failure.describe()).contains("no CNI network c").contains("choose one of: a, b");
    }

    @Test
    void aTypeThatIsAPathIsRefused() {
        assertThrows(
                PodException.class,
                () ->
                        NetworkList.parse(
                                "x",
                                "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":\"../sh\"}"
                                        .getBytes(java.nio.charset.StandardCharsets.UTF_8)));
    }

    @Test
    void theNewestOfSeveralVersionsIsTaken() throws Exception {
        file(
                "10-a.conflist",
                "{\"cniVersion\":\"0.4.0\",\"cniVersions\":[\"1.0.0\",\"9.0.0\"],\"name\":\"n\",\"type\":\"x\"}");
        assertThat(lists().first().version()).isEqualTo(CniVersion.V1_0_0);
    }

    @Test
    void aNetworkBeforeChainsIsRefusedWithTheVersionsThatAreSpoken() throws Exception {
        file("10-a.conf", "{\"cniVersion\":\"0.2.0\",\"name\":\"n\",\"type\":\"x\"}");
        assertThat(assertThrows(PodException.class, () -> lists().first()))
                .hasMessageContaining("cniVersion 0.2.0, and PodVM speaks 0.3.0 to 1.1.0");
    }
}
