package podvm.network.cni;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import podvm.engine.NetworkRequest.Dns;
import podvm.engine.PodException;
import podvm.engine.PodException.Kind;
import podvm.engine.PodId;
import podvm.engine.PodNetwork.Interface;
import podvm.engine.PodNetwork.Neighbor;
import podvm.engine.PodNetwork.Route;
import podvm.network.cni.Attachment.Connection;

class AttachmentsTest {
    private static final PodId POD = new PodId("0123456789abcdef0123456789abcdef");

    @TempDir Path directory;

    private static Attachment attachment() {
        var network = Json.MAPPER.createObjectNode().put("name", "net");
        var eth0 =
                new Interface(
                        "02:00:01:23:45:67",
                        "0a:00:00:00:00:01",
                        "eth0",
                        List.of("10.1.0.2/16"),
                        List.of(new Route("0.0.0.0/0", "10.1.0.1", 7, true, "10.1.0.2", 1300)),
                        List.of(new Neighbor("10.1.0.1", "0a:00:00:00:00:02")),
                        1400);
        return new Attachment(
                        POD.text(),
                        "default/web",
                        "/etc/cni/net.d/10-net.conflist",
                        network,
                        "A=b",
                        Json.MAPPER.createObjectNode(),
                        Dns.OF_NETWORK,
                        1,
                        Optional.empty(),
                        Optional.empty())
                .withResult(Json.MAPPER.createObjectNode().put("cniVersion", "1.1.0"))
                .connected(
                        1,
                        new Connection(
                                List.of(eth0),
                                List.of("10.1.0.1"),
                                List.of("svc.local"),
                                List.of("ndots:5"),
                                List.of("10.1.0.2")));
    }

    @Test
    void aLaterDaemonReadsWhatAnEarlierOneWrote() throws Exception {
        new Attachments(directory.resolve("networks")).write(attachment());

        var later = new Attachments(directory.resolve("networks"));

        assertThat(later.all()).containsExactly(POD);
        assertThat(later.read(POD)).contains(attachment());
    }

    @Test
    void aRecordHalfWrittenIsNone() throws Exception {
        Files.writeString(directory.resolve(POD.text() + ".next"), "{\"pod\":");

        assertThat(new Attachments(directory).all()).isEmpty();
        assertThat(new Attachments(directory).read(POD)).isEmpty();
    }

    @Test
    void aDamagedRecordIsToldByItsFile() throws Exception {
        Files.writeString(directory.resolve(POD.text() + ".json"), "{\"pod\":");

        var failure = assertThrows(PodException.class, () -> new Attachments(directory).read(POD));

        assertThat(failure.kind()).isEqualTo(Kind.CORRUPT);
        assertThat(failure).hasMessageContaining(POD.text() + ".json");
    }

    @Test
    void aRecordThatIsGoneCanBeDeletedAgain() throws Exception {
        var attachments = new Attachments(directory);
        attachments.write(attachment());

        attachments.delete(POD);
        attachments.delete(POD);

        assertThat(attachments.all()).isEmpty();
    }
}
